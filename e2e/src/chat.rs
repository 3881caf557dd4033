//! Saying one line to Commander and reading everything that comes of it.

use crate::Universe;
use serde_json::Value;

/// One event of `clawops chat --json`.
pub type Line = Value;

/// What came of one line.
#[derive(Debug, Clone)]
pub struct Answer {
    pub events: Vec<Line>,
    /// What the tools returned in this turn.
    pub results: Vec<String>,
    pub asked: String,
}

impl Universe {
    /// The session of the first admin's conversation.
    pub fn session(&self) -> String {
        let me = self.json(&["people", "me"]);
        format!("agent:commander:cli-{}", me["id"].as_str().unwrap_or_default())
    }

    /// One line, carried to its end. Every reply of Commander is checked: no number that no tool returned.
    pub fn say(&self, line: &str) -> Answer {
        let output = self.run(&["chat", "--json", line]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let problem = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{line:?} failed: {problem}{said}");
        let events =
            said.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")));
        let events: Vec<Value> = events.collect();
        let mut answer = Answer { events, results: Vec::new(), asked: line.to_owned() };
        answer.must_be_honest(self);
        answer
    }
}

impl Answer {
    fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Line> {
        self.events.iter().filter(move |event| event["event"] == kind)
    }

    pub fn reply(&self) -> String {
        let texts: Vec<&str> = self.of_kind("reply").filter_map(|event| event["text"].as_str()).collect();
        texts.join("\n")
    }

    pub fn tools(&self) -> Vec<&str> {
        self.of_kind("tool").filter_map(|event| event["name"].as_str()).collect()
    }

    /// The code and the text of the question that the control plane asked.
    pub fn question(&self) -> (String, String) {
        let event = self.of_kind("question").last().unwrap_or_else(|| panic!("no question came: {self:?}"));
        let text = |key: &str| event[key].as_str().unwrap_or_default().to_owned();
        (text("code"), text("question"))
    }

    pub fn asks_nothing(&self) -> bool {
        self.of_kind("question").next().is_none()
    }

    pub fn decision(&self) -> &str {
        self.of_kind("decision").next().and_then(|event| event["decision"].as_str()).unwrap_or("none")
    }

    /// Whether Commander named it in anything that was said in this turn.
    pub fn mentions(&self, name: &str) -> bool {
        let said = self.events.iter().filter(|event| event["event"] == "reply" || event["event"] == "notice");
        said.filter_map(|event| event["text"].as_str()).any(|text| text.contains(name))
    }

    /// The states through which the operation was seen to go.
    pub fn progress(&self) -> Vec<&Value> {
        self.of_kind("progress").map(|event| &event["operation"]).collect()
    }

    /// How the operation ended.
    pub fn ended(&self) -> &Value {
        let event = self.of_kind("ended").last().unwrap_or_else(|| panic!("nothing ended: {self:?}"));
        &event["operation"]
    }

    /// Replies and notices alike: what was said against what that very turn was given.
    fn must_be_honest(&mut self, universe: &Universe) {
        let session = universe.session();
        let said = self.events.iter().filter(|event| event["event"] == "reply" || event["event"] == "notice");
        for event in said {
            let text = |key: &str| event[key].as_str().unwrap_or_default();
            let given = universe.given(&session, text("run"));
            let unsupported = claw_brain::honesty::unsupported_numbers(text("text"), &given);
            assert!(
                unsupported.is_empty(),
                "{:?} was answered with numbers that nothing of that turn supports: {unsupported:?}\n{}\n{given:#?}",
                self.asked,
                text("text"),
            );
            self.results.extend(given);
        }
    }
}
