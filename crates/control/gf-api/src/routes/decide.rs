//! Answers in conversations, what channels recorded, controlling what runs, and what policy would say.

use crate::{
    Api, Problem,
    auth::{Identity, PLUGIN_ITSELF, access::Access},
    json::{Body, Query},
    matching::Object,
    openapi::{Route, Routes},
    problem::{Answer, parse_id},
    tools::{act, verb},
    view::{progress, words},
};
use axum::{
    Extension, Json,
    extract::{Path, State},
    http::StatusCode,
};
use gf_model::{
    ApprovalCode, OperationId, Timestamp,
    approval::{Approval, InboundMessage, Shown},
    person::{PersonRole, Principal},
};
use gf_policy::Explanation;
use gf_requests::{Act, Answered, Caller, Heard};
use gf_tools::OperationReply;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Line {
    /// Where it was said: `cli:<person>` of the person who asks.
    conversation: String,
    text: String,
}

/// What became of a message.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct AnsweredView {
    /// granted, denied, changes, none or ambiguous.
    decision: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<ApprovalCode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation_id: Option<OperationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct InConversation {
    conversation: String,
}

/// A question as it is put into a conversation, word for word.
#[derive(Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Question {
    approval: ApprovalCode,
    code: ApprovalCode,
    question: String,
    expires_at: Timestamp,
}

/// The same list under the name that each of its two readers knows it by.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Questions {
    questions: Vec<Question>,
    items: Vec<Question>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ShownReport {
    approval: String,
    conversation: String,
    #[serde(default)]
    message_id: Option<String>,
    success: bool,
}

#[derive(Serialize, JsonSchema)]
struct Taken {
    ok: bool,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Explain {
    tool: String,
    #[serde(default)]
    arguments: Value,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Explained {
    summary: String,
    #[serde(flatten)]
    explanation: Explanation,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Controlled {
    summary: String,
    operation_id: OperationId,
    progress: OperationReply,
}

pub fn routes(routes: Routes) -> Routes {
    let operator = Access::Person(PersonRole::Operator);
    routes
        .add(
            Route::post("/v1/operations/{id}/{act}", operator, "pause, resume, cancel, retry or rollback.")
                .reply::<Controlled>()
                .about(Object::Operation),
            control,
        )
        .add(
            Route::post(
                "/v1/conversations/answer",
                Access::Person(PersonRole::Viewer),
                "Whether a line, as a whole, answers the one open question of the conversation.",
            )
            .body::<Line>()
            .reply::<AnsweredView>(),
            answer,
        )
        .add(
            Route::post("/v1/evidence/inbound", Access::Plugin, "A message of a real channel, as its host recorded it.")
                .body::<InboundMessage>()
                .reply::<AnsweredView>(),
            inbound,
        )
        .add(
            Route::post("/v1/evidence/shown", Access::Read, "A question was seen leaving: by the plugin, or by a person in their own conversation.")
                .body::<ShownReport>()
                .reply::<Taken>(),
            shown,
        )
        .add(
            Route::get("/v1/questions", Access::Read, "Questions that are open in a conversation and were not shown there yet: for the plugin, or for a person in their own conversation.")
                .query::<InConversation>()
                .reply::<Questions>(),
            questions,
        )
        .add(
            Route::post("/v1/policy/explain", Access::Person(PersonRole::Viewer), "What policy would say to a tool call; changes nothing.").follower_serves()
                .body::<Explain>()
                .reply::<Explained>(),
            explain,
        )
}

pub(super) fn caller(who: &Identity) -> Caller {
    Caller {
        principal: who.principal.clone(),
        conversation: who.conversation.clone(),
        trace: who.trace.clone(),
        may_approve: who.may_approve(),
    }
}

async fn control(
    State(api): State<Api>,
    Extension(who): Extension<Identity>,
    Path((id, act)): Path<(String, String)>,
) -> Answer<Controlled> {
    let id: OperationId = parse_id("id", &id)?;
    let act = match act.as_str() {
        "pause" => Act::Pause,
        "resume" => Act::Resume,
        "cancel" => Act::Cancel,
        "retry" => Act::Retry,
        "rollback" => Act::Rollback,
        other => {
            return Err(Problem::not_found("act", other).fix("use pause, resume, cancel, retry or rollback"));
        }
    };
    let operation = api.requests.control(&caller(&who), &id, act).await?;
    let now = api.clock.now();
    let progress = api.store.read(|fleet| progress::reply(fleet, &operation, now));
    Ok(Json(Controlled { summary: progress.summary.clone(), operation_id: operation.id, progress }))
}

/// A person speaks in their own conversation only.
fn own_conversation(who: &Identity, conversation: &str) -> Result<(), Problem> {
    match &who.principal {
        Principal::Person(id) if conversation == format!("cli:{id}") => Ok(()),
        Principal::Agent(agent) if agent == PLUGIN_ITSELF => Ok(()),
        other => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            format!("{other} has no part in this conversation"),
        )
        .at("conversation", conversation)
        .fix("a person's own conversation is cli:<their id>")),
    }
}

async fn answer(
    State(api): State<Api>,
    Extension(who): Extension<Identity>,
    Body(line): Body<Line>,
) -> Answer<AnsweredView> {
    own_conversation(&who, &line.conversation)?;
    let answered = api.requests.answer(&caller(&who), &line.conversation, &line.text).await?;
    Ok(Json(view(answered)))
}

async fn inbound(State(api): State<Api>, Body(message): Body<InboundMessage>) -> Answer<AnsweredView> {
    Ok(Json(view(api.requests.inbound(message).await?)))
}

fn view(answered: Answered) -> AnsweredView {
    AnsweredView {
        decision: match answered.decision {
            Heard::Granted => "granted",
            Heard::Denied => "denied",
            Heard::Changes => "changes",
            Heard::None => "none",
            Heard::Ambiguous => "ambiguous",
        },
        approval: answered.approval,
        operation_id: answered.operation,
        why: answered.why,
    }
}

async fn shown(
    State(api): State<Api>,
    Extension(who): Extension<Identity>,
    Body(report): Body<ShownReport>,
) -> Answer<Taken> {
    own_conversation(&who, &report.conversation)?;
    let code: ApprovalCode = parse_id("approval", &report.approval)?;
    if !report.success {
        tracing::warn!(approval = %code, conversation = report.conversation, "a question did not leave");
        return Ok(Json(Taken { ok: false }));
    }
    let shown =
        Shown { conversation: report.conversation, message_id: report.message_id, at: api.clock.now() };
    api.requests.shown(&code, shown).await?;
    Ok(Json(Taken { ok: true }))
}

async fn questions(
    State(api): State<Api>,
    Extension(who): Extension<Identity>,
    Query(asked): Query<InConversation>,
) -> Answer<Questions> {
    own_conversation(&who, &asked.conversation)?;
    let question = |approval: Approval| Question {
        approval: approval.code.clone(),
        code: approval.code,
        question: approval.question,
        expires_at: approval.expires_at,
    };
    let questions: Vec<_> = api.requests.questions(&asked.conversation).into_iter().map(question).collect();
    Ok(Json(Questions { items: questions.clone(), questions }))
}

async fn explain(
    State(api): State<Api>,
    Extension(who): Extension<Identity>,
    Body(asked): Body<Explain>,
) -> Answer<Explained> {
    let Some(tool) = gf_tools::tool(&asked.tool) else {
        return Err(Problem::not_found("tool", &asked.tool).fix("see `clawops tools`"));
    };
    let Some(verb) = api.store.read(|fleet| verb::of(fleet, tool.name, asked.arguments, api.clock.now()))?
    else {
        let explanation = Explanation {
            decision: "allow".to_owned(),
            rules: vec!["read_only".to_owned()],
            notes: Vec::new(),
            fix: None,
            accounts_affected: 0,
            cost_delta_cents: 0,
        };
        return Ok(Json(Explained {
            summary: format!("{} acts at once: it changes no gateway.", tool.name),
            explanation,
        }));
    };
    let what = act::verb_words(&verb);
    let explanation = api.requests.explain(&caller(&who), &verb)?;
    let summary = format!(
        "To {what}: {} ({}; {} affected).",
        explanation.decision,
        words::list(&explanation.rules, 6),
        words::count(explanation.accounts_affected as u64, "account", "accounts")
    );
    Ok(Json(Explained { summary, explanation }))
}
