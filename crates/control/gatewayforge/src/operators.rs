//! Tells operators things by waking their agent at the ops gateway, in the conversation where they talk to it.
//!
//! What is told are the notice's own words; the agent adds what it looks up. It never decides when or whom to tell.

use async_trait::async_trait;
use gf_model::{fleet::Fleet, notice::Notice, person::PersonRole};
use gf_reconcile::{DeliveryError, Messenger};
use openclaw_client::{
    Client, Endpoint, Token,
    chat::{AgentTurn, Delivery},
};
use std::{net::SocketAddr, path::PathBuf, time::Duration};
use tokio::sync::Mutex;

/// The operators' face.
const AGENT: &str = "commander";
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
const QUIET_WITHIN: Duration = Duration::from_secs(30);

pub struct OpsGateway {
    address: SocketAddr,
    /// Read anew for each connection: the ops gateway makes it when it is first set up.
    token: PathBuf,
    client: Mutex<Option<Client>>,
}

impl OpsGateway {
    pub fn new(address: SocketAddr, token: PathBuf) -> Self {
        Self { address, token, client: Mutex::new(None) }
    }

    async fn client(&self) -> Result<Client, DeliveryError> {
        let mut kept = self.client.lock().await;
        if let Some(client) = kept.as_ref().filter(|client| !client.is_closed()) {
            return Ok(client.clone());
        }
        let token = std::fs::read_to_string(&self.token)
            .map_err(|why| DeliveryError(format!("{} cannot be read: {why}", self.token.display())))?;
        let endpoint = Endpoint { addr: self.address, token: Token::new(token.trim()) };
        let fresh =
            Client::connect(&endpoint, CONNECT_WITHIN).await.map_err(|why| DeliveryError(why.to_string()))?;
        *kept = Some(fresh.clone());
        Ok(fresh)
    }
}

/// The turn that tells a notice. Its id is the run's, so that a repetition is the same turn.
fn turn(conversation: &str, notice: &Notice) -> Option<AgentTurn> {
    let look_at = notice.look_at.as_deref().unwrap_or_default();
    let message = format!("[clawops notice {}] {look_at}\n{}", notice.id, notice.text);
    let id = format!("{}@{conversation}", notice.id);
    let (channel, rest) = conversation.split_once(':')?;
    if channel == "cli" {
        return Some(AgentTurn::in_session(format!("agent:{AGENT}:cli-{rest}"), message, id));
    }
    let (account, peer) = rest.split_once(':')?;
    let kind = match peer.chars().next()? {
        '#' | '&' | '-' => "group",
        _ => "direct",
    };
    let session = format!("agent:{AGENT}:{channel}:{kind}:{}", peer.to_ascii_lowercase());
    let delivery =
        Delivery { channel: channel.to_owned(), account: Some(account.to_owned()), to: peer.to_owned() };
    Some(AgentTurn::in_session(session, message, id).delivered_to(delivery))
}

#[async_trait]
impl Messenger for OpsGateway {
    async fn tell(&self, conversation: &str, notice: &Notice) -> Result<(), DeliveryError> {
        let turn = turn(conversation, notice).ok_or_else(|| {
            DeliveryError(format!("{conversation:?} is not a conversation of the ops gateway"))
        })?;
        // A person's own turn there comes first: OpenClaw would merge the two into one.
        self.client().await?.wake(&turn, QUIET_WITHIN).await.map_err(|why| DeliveryError(why.to_string()))?;
        Ok(())
    }

    fn operators(&self, fleet: &Fleet) -> Vec<String> {
        let operators =
            fleet.people.values().filter(|person| !person.disabled && person.role >= PersonRole::Operator);
        operators
            .flat_map(|person| {
                let own = (!person.key_sha256.is_empty()).then(|| format!("cli:{}", person.id));
                let channels =
                    person.identities.iter().map(|who| format!("{}:default:{}", who.channel, who.sender));
                own.into_iter().chain(channels)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gf_model::{
        NoticeId, Timestamp,
        notice::{Recipient, Severity},
    };
    use openclaw_client::chat::Target;

    fn notice() -> Notice {
        Notice {
            id: NoticeId::from_bits(0x12ab, 4),
            key: "k".into(),
            recipient: Recipient::Operators,
            severity: Severity::Info,
            text: "Done.".into(),
            look_at: Some(r#"gf_operation {"id":"op-1","action":"get"}"#.into()),
            created_at: Timestamp::UNIX_EPOCH,
            delivered_at: None,
            attempts: 0,
            last_error: None,
        }
    }

    #[test]
    fn a_conversation_is_reached_in_its_own_session() {
        let session = |conversation: &str| match turn(conversation, &notice()).unwrap().target {
            Target::Session(key) => key,
            Target::Agent(agent) => agent,
        };
        assert_eq!(session("cli:person-ada"), "agent:commander:cli-person-ada");
        assert_eq!(session("telegram:default:777"), "agent:commander:telegram:direct:777");
        assert_eq!(session("telegram:default:-100200"), "agent:commander:telegram:group:-100200");
        assert_eq!(session("irc:default:#ops"), "agent:commander:irc:group:#ops");
        assert!(turn("nowhere", &notice()).is_none());
    }

    #[test]
    fn the_agent_is_told_where_to_look() {
        let turn = turn("cli:person-ada", &notice()).unwrap();
        assert_eq!(
            turn.message,
            "[clawops notice note-12ab] gf_operation {\"id\":\"op-1\",\"action\":\"get\"}\nDone."
        );
        assert_eq!(turn.idempotency_key, "note-12ab@cli:person-ada");
    }
}
