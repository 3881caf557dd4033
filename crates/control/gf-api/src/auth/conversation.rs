//! Which conversation an agent's session belongs to, by the way OpenClaw forms session keys.

/// `agent:commander:cli-person-ada` is `cli:person-ada`; `agent:commander:telegram:direct:777` is
/// `telegram:default:777`. Sessions of sub-agents and main sessions belong to nobody's conversation.
pub fn of_session(session_key: &str) -> Option<String> {
    let mut parts = session_key.splitn(3, ':');
    let (Some("agent"), Some(_agent), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return None;
    };
    if let Some(person) = rest.strip_prefix("cli-") {
        return (!person.is_empty() && !person.contains(':')).then(|| format!("cli:{person}"));
    }
    let parts: Vec<&str> = rest.split(':').collect();
    let is_peer = |kind: &str| matches!(kind, "direct" | "group" | "channel" | "dm");
    match parts.as_slice() {
        [channel, kind, peer @ ..] if is_peer(kind) && !peer.is_empty() => {
            Some(format!("{channel}:default:{}", peer.join(":")))
        }
        [channel, account, kind, peer @ ..] if is_peer(kind) && !peer.is_empty() => {
            Some(format!("{channel}:{account}:{}", peer.join(":")))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::of_session;

    #[test]
    fn sessions_of_people_are_conversations() {
        let of = |key| of_session(key).unwrap_or_default();
        assert_eq!(of("agent:commander:cli-person-ada"), "cli:person-ada");
        assert_eq!(of("agent:commander:telegram:direct:777"), "telegram:default:777");
        assert_eq!(of("agent:commander:telegram:work:direct:777"), "telegram:work:777");
        assert_eq!(of("agent:commander:telegram:group:-100200"), "telegram:default:-100200");
        assert_eq!(of("agent:commander:irc:channel:#ops"), "irc:default:#ops");
    }

    #[test]
    fn other_sessions_are_not() {
        let others = [
            "agent:commander:main",
            "agent:forge:subagent:3f",
            "agent:guardian:cron:sweep",
            "cli-ada",
            "",
            "agent:x:cli-",
        ];
        for key in others {
            assert_eq!(of_session(key), None, "{key}");
        }
    }
}
