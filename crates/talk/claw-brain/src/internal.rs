//! Turns that OpenClaw starts for itself: heartbeats, memory keeping, summaries of a long conversation.

use crate::{
    chat::ChatTurn,
    envelope::Conversation,
    language::token::{Kind, tokens},
};

/// Tokens by which OpenClaw lets a model keep silent.
const SILENT: [&str; 4] = ["HEARTBEAT_OK", "NO_REPLY", "REPLY_SKIP", "ANNOUNCE_SKIP"];
/// Most ids that a summary keeps.
const KEPT: usize = 60;

pub fn respond(conversation: &Conversation) -> Option<ChatTurn> {
    let said = &conversation.now.said.text;
    if let Some(token) = SILENT.iter().find(|token| said.contains(**token)) {
        return Some(ChatTurn::say(*token));
    }
    let summarising =
        conversation.tools.is_empty() && said.len() > 400 && said.to_lowercase().contains("summar");
    summarising.then(|| ChatTurn::say(summary(said)))
}

/// Which things were spoken of; enough to go on with "it" and "the second account".
fn summary(conversation: &str) -> String {
    let mut ids: Vec<String> = Vec::new();
    for token in tokens(conversation) {
        if let Kind::Account(id)
        | Kind::Instance(id)
        | Kind::Operation(id)
        | Kind::Archive(id)
        | Kind::Incident(id) = token.kind
            && !ids.contains(&id)
        {
            ids.push(id);
        }
    }
    ids.truncate(KEPT);
    let about = if ids.is_empty() { "nothing by id".to_owned() } else { ids.join(", ") };
    format!("The operator and Commander spoke about the fleet. Spoken of: {about}.")
}
