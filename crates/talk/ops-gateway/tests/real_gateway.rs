//! The whole way on the real OpenClaw: it boots with our plugin and team, tool calls reach the control plane with the
//! host's word for who called, and every helper of `openclaw-client` does what it says.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod support;

use openclaw_client::chat::{AgentTurn, ChatEvent, TurnEnd};
use openclaw_client::methods::Terminals;
use openclaw_client::{Client, Error as ClientError, Token, probe};
use ops_gateway::{Channels, Error};
use serde_json::json;
use std::time::Duration;
use support::{LONG, Lab, http, unique};

const SESSION: &str = "agent:commander:cli-ana";

/// One gateway for all of it: a boot costs more than everything that follows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ops_gateway_works_as_documented() {
    let lab = Lab::start(Channels::default()).await;
    tools(&lab).await;
    conversation(&lab).await;
    configuration(&lab).await;
    plugin_services(&lab).await;
    suspension(&lab).await;
    idempotence_and_refusal(&lab).await;
    lab.stop().await;
}

async fn tools(lab: &Lab) {
    lab.plane.set(
        "/v1/tools/gf_fleet_status",
        200,
        json!({ "summary": "3 pairs, all protected", "pairsTotal": 3 }),
    );
    let reply = lab.say(r#"STEPS [{"tool":"gf_fleet_status","args":{"detail":"full"}}]"#).await;
    assert!(reply.contains("3 pairs, all protected"), "{reply}");
    let asked = lab.plane.asked("/v1/tools/");
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!(asked[0].body, json!({ "detail": "full" }));
    let caller = &asked[0].caller;
    assert_eq!((&caller["agent"], &caller["sessionKey"]), (&json!("commander"), &json!(SESSION)));
    assert!(caller["runId"].as_str().unwrap().starts_with("turn-"), "{caller}");
    assert!(caller["callId"].is_string(), "{caller}");

    // What the control plane refuses reaches the model with what was wrong and what would be right.
    let error = json!({ "code": "unknown_provider", "message": "there is no provider mars", "field": "provider",
                        "value": "mars", "fix": "use local-a or local-b" });
    lab.plane.set("/v1/tools/gf_provider_health", 422, json!({ "error": error }));
    lab.say(r#"STEPS [{"tool":"gf_provider_health","args":{"provider":"mars"}}]"#).await;
    let results = lab.model.last_tool_results().join("\n");
    assert!(
        results.contains("there is no provider mars") && results.contains("use local-a or local-b"),
        "{results}"
    );

    // The agent's pages and skills are in front of the model.
    let first = &lab.model.requests()[0];
    let system = first["messages"][0]["content"].to_string();
    assert!(system.contains("You cannot approve anything"), "AGENTS.md is missing");
    assert!(system.contains("senior site reliability engineer"), "SOUL.md is missing");
    assert!(system.contains("How you work") && system.contains("# Configuration"), "a skill is missing");
    assert!(system.len() < 20_000, "{} bytes are too many for every turn", system.len());
    assert_eq!(lab.plane.forged(), Vec::<String>::new());
}

async fn conversation(lab: &Lab) {
    // Another client sees a turn that it has not started, in its session and only there.
    let other = Client::connect(lab.gateway.endpoint(), LONG).await.unwrap();
    let mut watched = other.watch(SESSION);
    let mut elsewhere = other.watch("agent:commander:cli-ben");
    let turn =
        AgentTurn::in_session(SESSION, r#"STEPS [{"tool":"gf_fleet_status","args":{}}]"#, unique("turn"));
    let mut heard = Vec::new();
    let end = lab.client.converse(&turn, LONG, |event| heard.push(event)).await.unwrap();
    let TurnEnd::Replied(Some(reply)) = end else { panic!("{end:?}") };
    assert!(heard.contains(&ChatEvent::Started), "{heard:?}");
    assert!(heard.contains(&ChatEvent::ToolStarted { name: "gf_fleet_status".into() }), "{heard:?}");
    assert!(
        heard.contains(&ChatEvent::ToolEnded { name: "gf_fleet_status".into(), failed: false }),
        "{heard:?}"
    );
    let deltas: String = heard
        .iter()
        .filter_map(|e| if let ChatEvent::Delta { text, .. } = e { Some(text.as_str()) } else { None })
        .collect();
    assert_eq!(deltas, reply, "the deltas are the reply");
    let seen = loop {
        let heard = tokio::time::timeout(LONG, watched.next()).await.unwrap().unwrap();
        assert_eq!(heard.session, SESSION);
        if let ChatEvent::Final { text } = heard.event {
            break (heard.run, text);
        }
    };
    assert_eq!(seen, (turn.idempotency_key.clone(), reply));
    let quiet = tokio::time::timeout(Duration::from_millis(1), elsewhere.next()).await;
    assert!(quiet.is_err(), "{quiet:?}");

    // The same key is the same run, however often it is sent.
    let before = lab.plane.asked("/v1/tools/").len();
    assert_eq!(lab.client.agent(&turn).await.unwrap(), turn.idempotency_key);
    lab.say("are you there?").await;
    assert_eq!(lab.plane.asked("/v1/tools/").len(), before);
    assert_eq!(
        lab.client.agent_wait("no-such-run", Duration::from_millis(10)).await.unwrap(),
        TurnEnd::Unknown
    );

    // A notice waits for the turn that runs.
    let slow =
        lab.client.agent(&AgentTurn::in_session(SESSION, "SLOW please", unique("turn"))).await.unwrap();
    let notice = AgentTurn::in_session(SESSION, "notice: all ACTIVE", unique("notice"));
    let notice = lab.client.wake(&notice, LONG).await.unwrap();
    let reply = |end: TurnEnd| if let TurnEnd::Replied(Some(text)) = end { text } else { panic!("{end:?}") };
    let slow = reply(lab.client.agent_wait(&slow, LONG).await.unwrap());
    assert!(slow.contains("SLOW please") && !slow.contains("notice"), "{slow}");
    assert!(reply(lab.client.agent_wait(&notice, LONG).await.unwrap()).contains("notice: all ACTIVE"));
    assert!(lab.client.sessions_list().await.unwrap().iter().any(|row| row.key == SESSION));
    assert!(lab.client.channels_status().await.unwrap().is_empty());
}

async fn configuration(lab: &Lab) {
    let config = lab.client.config_get().await.unwrap();
    assert!(config.is_applied());
    assert_eq!(config.parsed["gateway"]["auth"]["token"], "__OPENCLAW_REDACTED__");
    let patch = json!({ "session": { "dmScope": "per-account-channel-peer" } });
    let patched = lab.client.config_patch(&patch, &config.hash, "a test", &[]).await.unwrap();
    assert_eq!(patched.changed_paths, ["session.dmScope"]);
    assert!(!patched.requires_restart);
    let now = lab.client.config_get().await.unwrap();
    assert_eq!(now.parsed["session"]["dmScope"], "per-account-channel-peer");

    let stale = lab.client.config_patch(&patch, &config.hash, "a test", &[]).await.unwrap_err();
    assert!(stale.to_string().contains("config changed since last load"), "{stale}");
    let wrong = json!({ "gateway": { "nonsense": true } });
    let refused = lab.client.config_patch(&wrong, &now.hash, "a test", &[]).await.unwrap_err();
    assert!(refused.to_string().contains("nonsense"), "{refused}");
    assert_eq!(refused.rpc().unwrap().code, "INVALID_REQUEST");
    assert_eq!(lab.client.config_get().await.unwrap().hash, now.hash, "nothing was written");

    lab.client.set_api_key("anthropic", &Token::new("sk-a-test"), Some("commander")).await.unwrap();
}

async fn plugin_services(lab: &Lab) {
    lab.plane.set("/v1/fleet/status", 200, json!({ "summary": "quiet", "pairsTotal": 3 }));
    let status = lab.client.call("clawops.fleet-status", json!({}), LONG).await.unwrap();
    assert_eq!(status["controlPlane"], "up", "{status}");
    assert!(status["ageMs"].as_u64().unwrap() <= 30_000, "{status}");

    let mut events = lab.client.events();
    let addr = lab.gateway.endpoint().addr;
    let secret = std::fs::read_to_string(lab.home.path().join("keys/webhook.key")).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let body = r#"{"type":"billing.failed"}"#;
    let headers = |id: &str, at: u64, secret: &str| {
        let signature = support::plane::webhook_signature(secret.trim(), id, at, body);
        vec![
            ("webhook-id".to_owned(), id.to_owned()),
            ("webhook-timestamp".to_owned(), at.to_string()),
            ("webhook-signature".to_owned(), signature),
        ]
    };
    let mut answers = Vec::new();
    for headers in [
        headers("m-1", now, &secret),
        headers("m-1", now, &secret),
        headers("m-2", now, "another secret, as long"),
        headers("m-3", now - 400, &secret),
        Vec::new(),
    ] {
        answers.push(http(addr, "POST", "/clawops/webhook", &headers, body).await.0);
    }
    assert_eq!(answers, [202, 409, 401, 401, 400]);
    let told = tokio::time::timeout(LONG, async {
        loop {
            let event = events.recv().await.unwrap();
            if event.payload.to_string().contains("billing.failed") {
                return event;
            }
        }
    });
    let told = told.await.unwrap();
    assert_eq!(
        (told.event.as_str(), told.payload),
        ("plugin.clawops.webhook", json!({ "type": "billing.failed" }))
    );
}

async fn suspension(lab: &Lab) {
    let addr = lab.gateway.endpoint().addr;
    let prepared = lab.client.suspend_prepare("op-1", Terminals::Preserve).await.unwrap();
    assert!(prepared.is_ready(), "{prepared:?}");
    let id = prepared.suspension_id.unwrap();
    let readiness = probe::readiness(addr, LONG).await.unwrap();
    assert!(!readiness.ready && readiness.failing == ["gateway-draining"], "{readiness:?}");
    let refused =
        lab.client.agent(&AgentTurn::in_session(SESSION, "hello", unique("turn"))).await.unwrap_err();
    assert!(refused.retryable() && refused.rpc().unwrap().suspending(), "{refused}");
    assert!(lab.client.suspend_status(&id).await.unwrap().is_ready());
    lab.client.suspend_resume(&id).await.unwrap();
    let health = probe::http_health(addr, LONG).await.unwrap();
    assert!(health.live && health.readiness.ready, "{health:?}");
    assert_eq!(health.version.as_deref(), Some(openclaw_client::SUPPORTED));
    let wrong = openclaw_client::Endpoint { addr, token: Token::new("wrong") };
    let refused = Client::connect(&wrong, LONG).await.unwrap_err();
    assert!(matches!(&refused, ClientError::Refused { .. }) && !refused.retryable(), "{refused}");
}

async fn idempotence_and_refusal(lab: &Lab) {
    let running = lab.gateway.running().unwrap();
    assert_eq!(lab.gateway.start().await.unwrap(), running, "a second start finds the first");

    // A gateway in which somebody gave an agent hands is not one to talk to.
    let config = lab.client.config_get().await.unwrap();
    let mut tools =
        config.parsed["agents"]["entries"]["guardian"]["tools"]["allow"].as_array().unwrap().clone();
    tools.push(json!("exec"));
    let patch = json!({ "agents": { "entries": { "guardian": { "tools": { "allow": tools } } } } });
    lab.client.config_patch(&patch, &config.hash, "a test", &[]).await.unwrap();
    let refused = lab.gateway.verify().await.unwrap_err();
    assert!(
        matches!(&refused, Error::Tools { agent, extra, .. } if agent == "guardian" && extra.contains(&"exec".to_owned())),
        "{refused}"
    );
}
