//! The model `operator`: one turn of the operator's conversation.
//!
//! It may only call tools that the request offers, and it never changes anything because of a "go".

use crate::{
    answer,
    chat::{Call, ChatTurn},
    envelope::{Conversation, ToolUse},
    internal, notice,
    step::Step,
    understand::understand,
};

pub fn respond(conversation: &Conversation) -> ChatTurn {
    let said = &conversation.now.said.text;
    if let Some(turn) = internal::respond(conversation) {
        return turn;
    }
    let steps = match notice::read(said) {
        Some(notice) => vec![notice.step()],
        None => understand(&conversation.past, &conversation.now).steps,
    };
    let steps: Vec<Step> = steps.into_iter().map(|step| offered(conversation, step)).collect();
    let calls = outstanding(&steps, &conversation.now.uses);
    if !calls.is_empty() {
        return ChatTurn { text: String::new(), calls };
    }
    ChatTurn::say(answer::compose(said, &steps, &conversation.now.uses))
}

/// A call of a tool that is not offered becomes a plain word about it.
fn offered(conversation: &Conversation, step: Step) -> Step {
    match &step {
        Step::Do(call) | Step::LookUp(call) if !conversation.offers(&call.tool) => {
            Step::Decline(format!("I can't do that here: the tool {} is not among mine.", call.tool))
        }
        _ => step,
    }
}

/// Calls that this turn has not made yet, in order.
fn outstanding(steps: &[Step], made: &[ToolUse]) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    for step in steps {
        if let Step::Do(call) | Step::LookUp(call) = step
            && !calls.contains(call)
            && !made.iter().any(|used| used.tool == call.tool && used.arguments == call.arguments)
        {
            calls.push(call.clone());
        }
    }
    calls
}
