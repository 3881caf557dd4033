//! Every error that the API answers with: its code, its HTTP status, what it means and what to do. `docs/errors.md` is
//! this table. A code that a fleet's own rules refuse by is the rule's name, with 403, and stands in the rules.

/// One code.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    pub code: &'static str,
    pub statuses: &'static [u16],
    pub means: &'static str,
    /// What to do, where the answer's own `fix` says nothing better.
    pub fix: &'static str,
}

const fn e(code: &'static str, statuses: &'static [u16], means: &'static str, fix: &'static str) -> Entry {
    Entry { code, statuses, means, fix }
}

pub fn entry(code: &str) -> Option<&'static Entry> {
    TABLE.binary_search_by(|entry| entry.code.cmp(code)).ok().map(|at| &TABLE[at])
}

/// The page of the errors.
pub fn page() -> String {
    let mut page = String::from(
        "# Errors\n\nWritten by `CLAWOPS_WRITE_OPENAPI=1 cargo test -p gf-api --test api errors`, from the table in \
         `gf-api/src/catalogue.rs`; a test compares the\ntable with what the program can answer, both ways.\n\nAn error is \
         `{\"error\": {\"code\", \"message\", \"field\"?, \"value\"?, \"fix\"?}}`, see [api.md](api.md). `code` is for \
         programs and does not\nchange; `message` and `fix` are for people. What a fleet's rules refuse has the name of \
         the rule as its code, with 403\n([policy.md](policy.md)).\n\n| code | status | what it means | what to do \
         |\n|---|---|---|---|\n",
    );
    for entry in TABLE {
        let statuses: Vec<_> = entry.statuses.iter().map(u16::to_string).collect();
        let line =
            format!("| `{}` | {} | {} | {} |\n", entry.code, statuses.join(", "), entry.means, entry.fix);
        page.push_str(&line);
    }
    page
}

/// In the order of their codes.
pub const TABLE: &[Entry] = &[
    e(
        "actor_in_body",
        &[400],
        "the body says who called",
        "leave it out; who called is proven by the request",
    ),
    e("already_denied", &[409], "somebody said no before", "ask for it again"),
    e("already_granted", &[409], "somebody said yes before", "look at its operation, or cancel that"),
    e("already_served", &[409], "the account has a pair", "name another account"),
    e("ambiguous_schedule", &[409], "several entries are of this kind", "say which by its id"),
    e(
        "another_loss",
        &[409],
        "the database is not where it was seen",
        "read the message again, and accept what it says now",
    ),
    e(
        "answered_meanwhile",
        &[409],
        "another person answered at the same moment",
        "look at the question and answer again",
    ),
    e("approval_expired", &[409], "nobody answered in time", "ask for it again"),
    e("approval_superseded", &[409], "another question has taken its place", "answer that one"),
    e("approval_void", &[409], "what it covered has changed", "ask again and look at the new question"),
    e(
        "bad_approval_signature",
        &[403],
        "the signature does not fit the question",
        "sign its statement as it is now",
    ),
    e("bad_caller", &[401], "the caller header names no agent or no nonce", "sign as docs/api.md says"),
    e("bad_cases", &[422], "the table of cases cannot be read", "see policy/cases.toml"),
    e(
        "bad_description",
        &[400],
        "a description has 1 to 500 characters",
        "say in a few words what it is for",
    ),
    e("bad_event_id", &[400], "this is no id of an event", "send the last event's, or leave it out"),
    e("bad_id", &[400], "this is no id", "give one of the form that the answer names"),
    e("bad_idempotency_key", &[400], "the key cannot be used", "use 1 to 200 visible ASCII characters"),
    e("bad_identity", &[400], "an identity is a channel and a sender", "give both"),
    e("bad_limit", &[400], "not a number of items", "use 1 to 1000"),
    e("bad_name", &[400], "a first name has 1 to 40 characters", "give one"),
    e("bad_patch", &[400], "this is no patch of a configuration", "give an object with the keys to set"),
    e("bad_reason", &[400], "a reason has 1 to 500 characters", "say in a few words why"),
    e(
        "bad_rules",
        &[422],
        "the rules cannot be read or do not fit the schema",
        "correct file and line as named",
    ),
    e(
        "bad_secret_name",
        &[400],
        "this is no name of a secret",
        "use letters, digits, dots, dashes and slashes",
    ),
    e("bad_secret_size", &[400], "a secret has 1 byte to 64 KiB", "give a value of that size"),
    e(
        "bad_signature",
        &[401],
        "the plugin's signature does not fit the request",
        "sign method, path, caller and body",
    ),
    e("bad_signing_key", &[400], "this is no Ed25519 public key", "give its 32 bytes as base64"),
    e("bad_text", &[400], "a wish has 1 to 500 characters", "say in a few words what is wanted otherwise"),
    e("belongs_to_another", &[400], "it is another account's", "name one of this account's"),
    e("body_too_large", &[413], "the body is too large or was cut short", "send at most 1 MiB"),
    e(
        "breaker_failovers_at_once",
        &[403],
        "20 failovers run already",
        "it is tried again when one has ended",
    ),
    e(
        "breaker_halted",
        &[403],
        "many pairs moved and no provider reports an incident",
        "a person looks what failed",
    ),
    e("changes_asked", &[409], "a person wants it otherwise", "ask for it as they want it"),
    e("child_asks_nobody", &[403], "a child asks no person", "let the parent ask"),
    e("contradiction", &[400], "two parameters contradict each other", "leave one out"),
    e("empty_filter", &[400], "a filter without any field", "give a field, or name the targets"),
    e("evidence_used", &[409], "the message was an answer before", "write it again"),
    e("forbidden", &[403], "this caller may not do this", "use a caller who may, as the answer says"),
    e("has_archive", &[409], "the account was archived", "restore it, or name another account"),
    e("has_standby", &[409], "it has an ACTIVE standby", "nothing needs to be built"),
    e(
        "idempotency_key_reused",
        &[422],
        "the key belongs to another request",
        "use a fresh key for a new request",
    ),
    e("identity_taken", &[409], "this sender is another person", "take it from them first"),
    e("in_progress", &[409], "the first request with this key still runs", "wait for its answer"),
    e("incomplete_pair", &[409], "the pair lacks an instance", "rebuild it first"),
    e("internal", &[500], "the control plane could not", "see logs/gatewayforge.log"),
    e("last_admin", &[409], "nobody could administer the fleet any more", "make another person admin first"),
    e("malformed_id", &[400], "this is no id", "give one of the form that the answer names"),
    e("malformed_json", &[400], "the body is not JSON", "send one JSON object"),
    e("malformed_query", &[400], "the query cannot be read", "see /v1/openapi.json"),
    e("malformed_time", &[400], "this is no time", "write it like 2026-11-21T08:00:00Z"),
    e("malformed_when", &[400], "this is no time of a schedule", "write it as the answer says"),
    e("method_not_allowed", &[405], "the path is not served with this method", "see /v1/openapi.json"),
    e("missing_field", &[400], "a field is missing", "give it"),
    e("moved_on", &[409], "the fleet has changed since", "ask for what is still wanted anew"),
    e(
        "must_match",
        &[428],
        "this change must say what it changes",
        "read the object and send its ETag as If-Match",
    ),
    e("never_due", &[422], "that time never comes", "give one that does"),
    e("no_longer_kept", &[409], "it was kept for a time and is gone", "name a newer one"),
    e(
        "no_place",
        &[409],
        "no provider offers a place for it",
        "name other regions, or put a provider into the pool",
    ),
    e("no_rule_permits_it", &[403], "no rule permits it", "an admin can change the rules"),
    e("no_such_path", &[404], "nothing is served at this path", "see /v1/openapi.json"),
    e("no_way_back", &[409], "the operation cannot be undone", "ask for the opposite"),
    e("not_a_person", &[403], "only a person answers", "use the person's own key"),
    e("not_a_rollout", &[400], "the operation pushed no configuration", "name one that did"),
    e("not_an_admin", &[403], "only an admin may", "ask an admin"),
    e("not_an_approver", &[403], "this person may not answer", "an approver or an admin can"),
    e(
        "not_as_seen",
        &[412],
        "it has changed since it was read",
        "read it again: its ETag is in the answer's header",
    ),
    e("not_leading", &[421], "another control plane decides", "ask the one that the answer names"),
    e("not_permitted", &[403], "this caller may not", "ask somebody who may, as the answer says"),
    e("not_reserved", &[500], "what was allowed has no place in the ledger", "report it"),
    e("not_started", &[409], "nothing has started that could be acted on", "answer its question first"),
    e(
        "not_your_signing_key",
        &[403],
        "this is no signing key of the person",
        "an admin adds it: clawops people trust",
    ),
    e("nothing_lost", &[409], "no loss waits for a word", "nothing is to be done"),
    e("nothing_matches", &[409], "the filter matches nothing", "look at what there is"),
    e("nothing_to_do", &[409], "it is so already", "nothing is to be done"),
    e("out_of_range", &[400], "the number is not possible", "give one in the range that the answer names"),
    e("outside_the_agents_row", &[403], "an agent never does this", "Commander can ask a person"),
    e("person_exists", &[409], "there is such a person", "choose another id"),
    e(
        "plan_forbidden",
        &[422],
        "the plan would break a rule of the fleet",
        "ask for less, as the answer says",
    ),
    e("pool_forbids", &[409], "the provider is not in that pool", "name another, or change its pool"),
    e(
        "provider_not_asked",
        &[409],
        "the provider's status is older than ten minutes",
        "ask for its health first",
    ),
    e("replayed_signature", &[401], "the signature was used before", "sign with a fresh nonce"),
    e("rule_failed", &[403], "a rule failed", "an admin corrects it: clawops policy test"),
    e("rules_changed", &[409], "these are not the rules that were shown", "plan again and look at it"),
    e("rules_unreadable", &[403], "the rules in force cannot be read", "an admin puts others in force"),
    e("same_provider", &[400], "both instances would be at one provider", "name two"),
    e("second_person_needed", &[403], "another person must agree", "let another approver answer"),
    e("secrets_unavailable", &[503], "secrets cannot be read or written", "see the control plane's log"),
    e("service_not_permitted", &[403], "a service only protects", "a person or Commander can ask"),
    e("shown_once", &[409], "it was done, and its answer was shown once", "make a new one with a fresh key"),
    e("signature_needed", &[403], "the yes must be signed", "clawops approvals approve CODE signs it"),
    e("signing_key_taken", &[409], "another person signs with this key", "make another key"),
    e("slow_body", &[408], "the body did not arrive within 10 s", "send it again"),
    e("stale_signature", &[401], "the signature is too old or too new", "sign with the time of the request"),
    e("standby_not_active", &[409], "the standby is not ACTIVE", "rebuild it first"),
    e(
        "store_unavailable",
        &[503],
        "nothing was changed: the store cannot be written",
        "try again when it can",
    ),
    e(
        "store_uncertain",
        &[503],
        "whether it was changed is not known",
        "look at what stands, then ask again",
    ),
    e("store_went_back", &[503], "the database has lost what was kept", "see docs/controllers.md"),
    e("target_busy", &[409], "another operation works on it", "wait for that, or cancel it"),
    e(
        "teardown_unprotected",
        &[403],
        "a primary would go without a standby or an archive",
        "tear the whole pair down with an archive",
    ),
    e("text_too_long", &[400], "the text is too long", "shorten it as the answer says"),
    e("tier_not_sold", &[409], "the provider does not sell this tier", "name another tier or provider"),
    e(
        "too_many_at_once",
        &[403],
        "more than 100 instances would change unvalidated",
        "push in batches, or ask for fewer",
    ),
    e("too_many_fields", &[400], "fields that exclude each other", "leave one out"),
    e("too_many_questions", &[429], "too many questions of one asker are open", "answer or deny some first"),
    e("too_many_requests", &[429], "one caller asks too often", "wait as long as Retry-After says"),
    e("too_many_schedules", &[422], "too many reports are scheduled", "remove one first"),
    e("too_many_targets", &[400], "a question about too many targets", "ask for fewer"),
    e("too_slow", &[504], "not finished within 30 s", "ask for the operation's progress"),
    e("unauthorized", &[401], "nobody proved who is asking", "send a person's key, or sign as the plugin"),
    e("unknown_account", &[404], "there is no such account", "clawops pairs lists them"),
    e(
        "unknown_act",
        &[404],
        "an operation knows no such act",
        "use pause, resume, cancel, retry or rollback",
    ),
    e("unknown_action", &[400], "the tool knows no such action", "use one that the answer names"),
    e("unknown_agent", &[403], "no agent of the team", "use one of the team"),
    e("unknown_approval", &[404], "there is no such question", "clawops approvals list --all lists them"),
    e("unknown_archive", &[404], "there is no such archive", "GET /v1/archives lists them"),
    e("unknown_condition", &[400], "pairs know no such condition", "use one that the answer names"),
    e("unknown_cursor", &[400], "no item of this name is in the list", "begin again without `after`"),
    e("unknown_detail", &[400], "detail is summary or full", "use one of them"),
    e("unknown_field", &[400], "there is no such field", "leave it out, or use one that the answer names"),
    e("unknown_identity", &[404], "the person is not known as this sender", "clawops people list"),
    e("unknown_incident", &[404], "there is no such incident", "GET /v1/incidents lists them"),
    e("unknown_instance", &[404], "there is no such instance", "clawops instances lists them"),
    e("unknown_operation", &[404], "there is no such operation", "clawops op list lists them"),
    e("unknown_period", &[400], "there is no such period", "use one that the answer names"),
    e("unknown_person", &[404], "there is no such person", "clawops people list"),
    e("unknown_pool", &[400], "a pool is primary, standby or paused", "use one of them"),
    e("unknown_provider", &[400, 404], "there is no such provider", "GET /v1/providers lists them"),
    e("unknown_reason", &[400], "a teardown has another reason", "use one that the answer names"),
    e("unknown_region", &[400, 404], "there is no such region", "GET /v1/providers lists them"),
    e("unknown_report", &[400], "there is no such report", "use one that the answer names"),
    e("unknown_revision", &[404], "there is no such revision", "GET /v1/revisions lists them"),
    e("unknown_role", &[404], "an instance is PRIMARY or STANDBY", "use one of them"),
    e("unknown_schedule", &[404], "there is no such entry", "clawops chat what is scheduled"),
    e("unknown_scope", &[404], "nothing of this name can be silenced", "name a provider, region or instance"),
    e("unknown_secret", &[404], "there is no such secret", "clawops secrets list ACCOUNT"),
    e("unknown_severity", &[400], "there is no such severity", "use one that the answer names"),
    e(
        "unknown_signing_key",
        &[404],
        "the person has no such signing key",
        "clawops people list --json shows them",
    ),
    e("unknown_snapshot", &[404], "there is no such snapshot", "GET /v1/snapshots lists them"),
    e("unknown_state", &[400, 404], "there is no such state", "use one that the answer names"),
    e("unknown_status", &[400], "there is no such status", "use one that the answer names"),
    e("unknown_strategy", &[400], "a strategy is rolling or immediate", "use one of them"),
    e(
        "unknown_subject",
        &[404],
        "the incident is about nothing there is",
        "name an account, instance, provider or region",
    ),
    e("unknown_tier", &[400], "there is no such tier", "use nano, standard, pro or enterprise"),
    e("unknown_tool", &[404], "there is no such tool", "clawops tools lists them"),
    e("unknown_zone", &[400], "there is no such time zone", "use an IANA name such as Europe/Berlin"),
    e("unreadable_body", &[400], "the body cannot be read", "send it again"),
    e("wrong_conversation", &[409], "the question belongs to another conversation", "say it there"),
    e("wrong_host", &[421], "served on loopback only", "use http://127.0.0.1 and the port"),
    e(
        "wrong_state",
        &[409],
        "the operation is not in a state for this",
        "look at it, and do what the answer says",
    ),
    e("wrong_type", &[400], "a field has another type", "see /v1/openapi.json"),
];
