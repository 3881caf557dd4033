//! The same conversation over real chat networks: an operator in Telegram can approve, one in IRC can only talk, and a
//! stranger is not heard.

use clawops_e2e::irc::{Network, Person};
use clawops_e2e::{Universe, wait};
use fake_telegram::{FakeTelegram, Sent};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::runtime::Runtime;

const ANSWER_WITHIN: Duration = Duration::from_secs(120);
const OPERATOR: i64 = 777;
const STRANGER: i64 = 666;
const BOT_TOKEN: &str = "4242:a-token-for-this-test-only";

#[test]
fn an_operator_in_telegram_approves_one_in_irc_only_talks_and_a_stranger_is_not_heard() {
    let runtime = Runtime::new().unwrap();
    let telegram = runtime.block_on(FakeTelegram::start(BOT_TOKEN, 0)).unwrap();
    let universe = Universe::empty();
    let network = Network::start(universe.scratch());
    configure(&universe, &telegram, &network);
    universe.start(&[]);
    universe.json(&["people", "identity", "person-operator", "telegram", &OPERATOR.to_string()]);

    telegram.write(STRANGER, "How is the fleet?");
    telegram.write(OPERATOR, "How is the fleet?");
    let answer = sent(&runtime, &telegram, |sent| sent.chat == OPERATOR);
    assert!(answer.text.contains('0'), "an empty fleet is told: {}", answer.text);
    assert!(telegram.sent().iter().all(|sent| sent.chat != STRANGER), "a stranger is not answered");

    telegram.write(OPERATOR, "Provision 1 nano account for testing.");
    let question = sent(&runtime, &telegram, |sent| sent.chat == OPERATOR && sent.text.contains("$6"));
    let code = open_approval(&universe);

    let mut ana = Person::connect(&network, "ana");
    ana.say_to("clawops", &format!("approve {code}"));
    ana.wait("Commander's answer", ANSWER_WITHIN, |line| line.contains("PRIVMSG ana"));
    assert_eq!(open_approval(&universe), code, "a nickname approves nothing");

    telegram.write(STRANGER, "go");
    telegram.reply(OPERATOR, "go", question.message_id);
    wait::until("the work has started", ANSWER_WITHIN, || {
        let operations = universe.get("/v1/operations");
        (operations["items"].as_array().map(Vec::len) == Some(1)).then_some(())
    });
    let approval = universe.get(&format!("/v1/approvals/{code}"));
    assert_eq!(approval["answeredBy"], "person-operator", "{approval}");
    assert_eq!(approval["evidence"]["sender"], OPERATOR.to_string(), "{approval}");
}

fn configure(universe: &Universe, telegram: &FakeTelegram, network: &Network) {
    let token_file = universe.scratch().join("telegram.token");
    std::fs::write(&token_file, BOT_TOKEN).unwrap();
    let settings = json!({
        "telegram": {
            "tokenFile": token_file, "apiRoot": telegram.api_root(), "allowFrom": [OPERATOR.to_string()],
        },
        "irc": { "host": "127.0.0.1", "port": network.port, "tls": false, "nick": "clawops", "allowFrom": ["ana"] },
    });
    universe.settings(&settings);
}

fn sent(runtime: &Runtime, telegram: &FakeTelegram, fits: impl Fn(&Sent) -> bool) -> Sent {
    runtime.block_on(telegram.wait_sent(ANSWER_WITHIN, fits)).unwrap_or_else(|e| panic!("{e}"))
}

fn open_approval(universe: &Universe) -> String {
    let approvals = universe.get("/v1/approvals");
    let open: Vec<&Value> = approvals["items"].as_array().into_iter().flatten().collect();
    assert_eq!(open.len(), 1, "one question is open: {approvals}");
    open[0]["code"].as_str().unwrap_or_default().to_owned()
}
