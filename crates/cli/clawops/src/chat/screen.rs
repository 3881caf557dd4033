//! What a conversation looks like: for a person, or as JSON lines for a program.

use crate::output::{self, Paint, boxed, paint};
use gf_tools::{OperationReply, words::on_a_terminal};
use rustyline::ExternalPrinter;
use serde_json::{Value, json};
use std::io::Write;

pub struct Screen {
    as_json: bool,
    /// Prints above a line that is being typed.
    above_prompt: Option<Box<dyn ExternalPrinter + Send>>,
    typing: bool,
    /// How much of the reply is on the screen already.
    streamed: String,
}

impl Screen {
    pub fn new(as_json: bool) -> Self {
        Self { as_json, above_prompt: None, typing: false, streamed: String::new() }
    }

    pub fn print_above(&mut self, printer: Box<dyn ExternalPrinter + Send>) {
        self.above_prompt = Some(printer);
    }

    pub fn typing(&mut self, typing: bool) {
        self.typing = typing;
    }

    fn line(&mut self, text: &str) {
        match &mut self.above_prompt {
            Some(printer) if self.typing => {
                if printer.print(format!("{text}\n")).is_err() {
                    output::print(text);
                }
            }
            _ => output::print(text),
        }
    }

    fn event(&mut self, event: Value, text: impl FnOnce() -> String) {
        let line = if self.as_json { event.to_string() } else { text() };
        self.line(&line);
    }

    pub fn tool(&mut self, name: &str) {
        self.event(json!({ "event": "tool", "name": name }), || paint(&format!("· {name}"), Paint::Dim));
    }

    /// More of a reply, as it is being said.
    pub fn delta(&mut self, so_far: &str) {
        if self.as_json {
            return;
        }
        if let Some(more) = so_far.strip_prefix(self.streamed.as_str())
            && !more.is_empty()
        {
            let mut out = std::io::stdout().lock();
            let _ = out.write_all(on_a_terminal(more).as_bytes()).and_then(|()| out.flush());
            self.streamed = so_far.to_owned();
        }
    }

    /// The whole reply; what was streamed of it is not repeated.
    pub fn reply(&mut self, run: &str, text: &str) {
        let streamed = std::mem::take(&mut self.streamed);
        if self.as_json {
            return self.line(&json!({ "event": "reply", "run": run, "text": text }).to_string());
        }
        match text.strip_prefix(streamed.as_str()) {
            Some(rest) if !streamed.is_empty() => output::print(&on_a_terminal(rest)),
            _ if !streamed.is_empty() => output::print(&format!("\n{}", on_a_terminal(text))),
            _ => output::print(&on_a_terminal(text)),
        }
    }

    /// Something that Commander said without having been asked.
    pub fn notice(&mut self, run: &str, text: &str) {
        self.event(json!({ "event": "notice", "run": run, "text": text }), || {
            format!("{} {}", paint("Commander:", Paint::Bold), on_a_terminal(text))
        });
    }

    pub fn question(&mut self, code: &str, question: &str) {
        self.event(json!({ "event": "question", "code": code, "question": question }), || {
            boxed(&format!("ClawOps asks · {code}"), &on_a_terminal(question))
        });
    }

    pub fn decided(&mut self, answer: &Value) {
        let decision = answer["decision"].as_str().unwrap_or("none").to_owned();
        let mut event = answer.clone();
        event["event"] = json!("decision");
        self.event(event, || {
            let code = answer["approval"].as_str().or_else(|| answer["approval"]["code"].as_str());
            let code = code.unwrap_or("The question");
            let operation = answer["operationId"].as_str();
            let text = match (decision.as_str(), operation) {
                ("granted", Some(id)) => format!("{code} is approved; {id} has started."),
                ("granted", None) => match answer["why"].as_str() {
                    Some(why) => format!("{code}: {why}."),
                    None => format!("{code} is approved."),
                },
                ("changes", _) => format!("Changes to {code} are asked for; nothing was changed."),
                ("denied", _) => format!("{code} is denied; nothing was changed."),
                _ => answer["why"].as_str().unwrap_or("That answers no question.").to_owned(),
            };
            paint(&text, Paint::Bold)
        });
    }

    pub fn progress(&mut self, operation: &OperationReply) {
        let event = json!({ "event": "progress", "operation": operation });
        self.event(event, || paint(&crate::follow::line(operation), Paint::Dim));
    }

    /// For a program: how the work ended. A person hears it from Commander.
    pub fn ended(&mut self, operation: &OperationReply) {
        if self.as_json {
            self.line(&json!({ "event": "ended", "operation": operation }).to_string());
        }
    }

    /// For a person, when Commander has not told the end.
    pub fn conclusion(&mut self, operation: &OperationReply) {
        if !self.as_json {
            self.line(&crate::follow::conclusion(operation));
        }
    }

    pub fn trouble(&mut self, text: &str) {
        self.event(json!({ "event": "trouble", "text": text }), || paint(text, Paint::Bad));
    }
}
