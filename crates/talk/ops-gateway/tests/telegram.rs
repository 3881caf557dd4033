//! Operators in Telegram, on the real gateway and its real channel: who is heard, what becomes evidence, and that the
//! control plane's question leaves in its own words.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod support;

use fake_telegram::FakeTelegram;
use openclaw_client::chat::{AgentTurn, Delivery, TurnEnd};
use ops_gateway::{Channels, Telegram};
use serde_json::json;
use support::{LONG, Lab, unique};

const TOKEN: &str = "4242:fake-token-for-a-test";
const ANA: i64 = 777;
const STRANGER: i64 = 999;
const HERE: &str = "telegram:default:777";
const QUESTION: &str = "Create 2 standard accounts for $24.00 a month? Answer: go A7K2";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_in_telegram_is_heard_asked_and_answered_and_a_stranger_is_not() {
    let telegram = FakeTelegram::start(TOKEN, 0).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let token_file = dir.path().join("telegram.token");
    std::fs::write(&token_file, TOKEN).unwrap();
    let channel =
        Telegram { token_file, allow_from: vec![ANA.to_string()], api_root: Some(telegram.api_root()) };
    let lab = Lab::start(Channels { telegram: Some(channel), irc: None }).await;

    telegram.write(STRANGER, "STEPS [{\"tool\":\"gf_fleet_status\",\"args\":{}}]");
    let first = telegram.write(ANA, "good morning");
    let reply = telegram.wait_sent(LONG, |sent| sent.text.contains("good morning")).await.unwrap();
    assert_eq!(reply.chat, ANA);

    let evidence = lab.plane.wait("/v1/evidence/inbound", 1, LONG).await;
    let body = &evidence[0].body;
    assert_eq!(body["channel"], "telegram");
    assert_eq!(body["senderId"], "777");
    assert_eq!(body["conversation"], HERE);
    assert_eq!(body["messageId"], first.to_string());
    assert_eq!(body["text"], "good morning");
    assert!(body["providerUpdateId"].is_string(), "{body}");

    lab.plane.set(
        "/v1/questions",
        200,
        json!({ "questions": [{ "approval": "A7K2", "question": QUESTION }] }),
    );
    telegram.write(ANA, "please provision");
    let asked = telegram.wait_sent(LONG, |sent| sent.text.contains("A7K2")).await.unwrap();
    assert!(asked.text.contains(QUESTION), "{}", asked.text);
    let shown = lab.plane.wait("/v1/evidence/shown", 1, LONG).await;
    assert_eq!(
        shown[0].body,
        json!({ "approval": "A7K2", "conversation": HERE, "messageId": asked.message_id.to_string(), "success": true })
    );
    lab.plane.set("/v1/questions", 200, json!({ "questions": [] }));

    let yes = telegram.reply(ANA, "go", asked.message_id);
    let evidence = lab.plane.wait("/v1/evidence/inbound", 3, LONG).await;
    let body = &evidence[2].body;
    assert_eq!((&body["text"], &body["messageId"]), (&json!("go"), &json!(yes.to_string())));
    assert_eq!(body["replyToMessageId"], json!(asked.message_id.to_string()));

    // The control plane wakes the agent in the same conversation, and the reply goes out to the channel.
    let session = lab.client.sessions_list().await.unwrap();
    let session = session.iter().find(|row| row.key.contains("telegram")).unwrap().key.clone();
    assert_eq!(session, "agent:commander:telegram:direct:777");
    let turn =
        AgentTurn::in_session(&session, "notice: both pairs are ACTIVE", unique("notice")).delivered_to(
            Delivery { channel: "telegram".into(), account: Some("default".into()), to: ANA.to_string() },
        );
    let run = lab.client.wake(&turn, LONG).await.unwrap();
    let end = lab.client.agent_wait(&run, LONG).await.unwrap();
    assert!(matches!(end, TurnEnd::Replied(Some(_))), "{end:?}");
    let notice = telegram.wait_sent(LONG, |sent| sent.text.contains("both pairs are ACTIVE")).await.unwrap();
    assert_eq!(notice.chat, ANA);

    assert!(telegram.sent().iter().all(|sent| sent.chat != STRANGER), "{:?}", telegram.sent());
    assert!(lab.plane.asked("/v1/tools").is_empty());
    let openclaw = std::fs::read_to_string(lab.home.path().join("logs/ops-gateway.openclaw.log")).unwrap();
    assert!(openclaw.contains("Blocked unauthorized telegram sender 999"), "the stranger was not logged");
    let everybody = lab.plane.asked("/v1/evidence/inbound");
    assert!(everybody.iter().all(|asked| asked.body["senderId"] == "777"), "{everybody:?}");
    let channels = lab.client.channels_status().await.unwrap();
    assert!(channels.iter().any(|c| c.channel == "telegram" && c.is_up()), "{channels:?}");
    lab.stop().await;
}
