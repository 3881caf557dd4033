//! Where somebody finds what there is, after they named something that is not: a person by a verb of the CLI, an agent
//! in words that are as true for the person whom it tells them to. It must never name a tool.

/// What a person does next. `code` is a problem's; `None` where no list helps.
pub fn for_person(code: &str) -> Option<&'static str> {
    Some(match kind(code)? {
        "account" => "`clawops pairs` lists the accounts that there are",
        "approval" => "`clawops approvals list --all` lists the questions that there are",
        "archive" => "GET /v1/archives lists the archives that there are",
        "incident" => "GET /v1/incidents lists the incidents that there are",
        "instance" => "`clawops instances` lists the instances that there are",
        "operation" => "`clawops op list` lists the operations that there are",
        "person" | "identity" => "`clawops people list` lists the people that there are",
        "revision" => "GET /v1/revisions lists the revisions that there are",
        "schedule" => "`clawops chat what is scheduled` lists the entries that there are",
        "snapshot" => "GET /v1/snapshots lists the snapshots that there are",
        "tool" => "`clawops tools` lists the tools that agents have",
        _ => "`clawops fleet status`, `clawops pairs` and `clawops instances` show what there is",
    })
}

/// What an agent does next, or tells a person.
pub fn for_agent(code: &str) -> Option<&'static str> {
    Some(match kind(code)? {
        "approval" => "an open question stands in the conversation in which it was asked",
        "archive" | "snapshot" => "name none for the newest that the account has",
        "incident" => "list the incidents",
        "operation" => "the fleet's status names the operations that run, the audit those that are over",
        "schedule" => "list what is scheduled",
        _ => "look at the fleet's status in full: it names every account and instance",
    })
}

/// Of what kind the thing is that is not there.
fn kind(code: &str) -> Option<&str> {
    match code {
        "nothing_matches" => Some("fleet"),
        code => code.strip_prefix("unknown_"),
    }
}
