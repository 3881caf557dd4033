//! From a request over a person's yes to pairs that serve.

use crate::rig::{account, accounts, agent, fresh, person, provision, with_pairs};
use gf_model::{
    approval::{ApprovalState, InboundMessage, Shown},
    instance::InstanceState,
    operation::{LaneState, OperationState, StepState},
};
use gf_requests::{Heard, Options, Outcome};

fn shown(rig: &crate::rig::Rig, conversation: &str, message: Option<&str>) -> Shown {
    use gf_model::ambient::Clock;
    Shown { conversation: conversation.into(), message_id: message.map(str::to_owned), at: rig.time.now() }
}

#[tokio::test(start_paused = true)]
async fn an_agent_asks_a_person_agrees_and_two_pairs_serve() {
    let (_world, rig) = fresh().await;
    let approval = rig.question(provision(2)).await;
    assert_eq!(rig.sim.len(), 0, "nothing is made before somebody agreed");
    assert!(rig.read(|fleet| fleet.instances.is_empty() && fleet.operations.is_empty()));
    assert!(approval.question.contains("Provision 2 pairs"), "{}", approval.question);

    let again = rig.question(provision(2)).await;
    assert_eq!(again.code, approval.code, "the same question is asked once");

    let granted = rig.requests.grant(&person("ada"), &approval.code).await.unwrap();
    let operation = granted.started().unwrap();
    assert_eq!(rig.approval(&approval.code).state, ApprovalState::Granted);
    let ended = rig.ended(&operation).await;
    assert_eq!(ended.state, OperationState::Done, "{}", rig.picture());
    rig.delivered().await;

    for number in 1..=2 {
        let (gateway, primary, standby) = (rig.gateway(number), rig.primary(number), rig.standby(number));
        assert_eq!((primary.state, standby.state), (InstanceState::Active, InstanceState::Active));
        assert_ne!(primary.provider, standby.provider);
        assert_eq!((primary.channels_on, standby.channels_on), (true, false));
        assert!(primary.endpoint.is_some() && gateway.endpoint == primary.endpoint);
        assert!(!primary.uncertain && !standby.uncertain);
    }
    assert_eq!(rig.sim.len(), 4);
    assert_eq!(rig.said.events(), ["gateway.active", "gateway.active"]);
    assert_eq!(rig.said.texts().len(), 1, "one notice: {:?}", rig.said.texts());
    rig.read(|fleet| {
        let lanes: Vec<_> = fleet.lanes_of(&operation.id).collect();
        assert_eq!(lanes.len(), ended.stages.iter().map(|stage| stage.lanes as usize).sum::<usize>());
        assert!(lanes.iter().all(|lane| lane.lane.state == LaneState::Done));
        assert!(lanes.iter().flat_map(|lane| &lane.lane.steps).all(|step| step.state == StepState::Done));
    });
    rig.audit_is_whole().await;
}

#[tokio::test(start_paused = true)]
async fn go_in_the_conversation_grants_the_one_question_that_was_shown_there() {
    let (_world, rig) = fresh().await;
    let approval = rig.question(provision(1)).await;
    let here = "cli:person-ada";
    let unseen = rig.requests.answer(&person("ada"), here, "go").await.unwrap();
    assert_eq!(unseen.decision, Heard::Ambiguous, "it was not shown yet");
    assert_eq!(rig.requests.questions(here).len(), 1);
    rig.requests.shown(&approval.code, shown(&rig, here, None)).await.unwrap();
    assert!(rig.requests.questions(here).is_empty());
    let more = rig.requests.answer(&person("ada"), here, "go, but only one").await.unwrap();
    assert_eq!(more.decision, Heard::None);
    let heard = rig.requests.answer(&person("ada"), here, "go").await.unwrap();
    assert_eq!((heard.decision, heard.approval.as_ref()), (Heard::Granted, Some(&approval.code)));
    let operation = rig.read(|fleet| fleet.operations[&heard.operation.unwrap()].clone());
    assert_eq!(rig.ended(&operation).await.state, OperationState::Done);
    let late = rig.requests.answer(&person("ada"), here, "go").await.unwrap();
    assert_eq!(late.decision, Heard::None);
    assert_eq!(rig.operations("provision").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_no_and_an_hour_of_silence_end_a_question() {
    let (_world, rig) = fresh().await;
    let denied = rig.question(provision(1)).await;
    rig.requests.deny(&person("ada"), &denied.code).await.unwrap();
    assert_eq!(rig.approval(&denied.code).state, ApprovalState::Denied);
    assert_eq!(rig.requests.grant(&person("ada"), &denied.code).await.unwrap_err().code, "already_denied");

    let lapsed = rig.question(provision(1)).await;
    assert_ne!(lapsed.code, denied.code);
    rig.until("it lapsed", |fleet| fleet.approvals[&lapsed.code].state == ApprovalState::Expired).await;
    assert_eq!(rig.requests.grant(&person("ada"), &lapsed.code).await.unwrap_err().status, 409);
    assert_eq!(rig.audit("approval.expire").await.len(), 1);
    assert_eq!(rig.sim.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn only_people_who_may_answer_for_it_grant_it() {
    let (_world, rig) = fresh().await;
    let approval = rig.question(provision(1)).await;
    for (caller, code) in [
        (agent("commander"), "not_a_person"),
        (person("bob"), "not_an_approver"),
        (person("vic"), "not_an_approver"),
        (person("nobody"), "not_an_approver"),
    ] {
        assert_eq!(rig.requests.grant(&caller, &approval.code).await.unwrap_err().code, code);
    }
    let forged = rig.requests.answer(&agent("commander"), "cli:person-ada", "go").await.unwrap();
    assert_eq!(forged.decision, Heard::None);
    assert_eq!(rig.approval(&approval.code).state, ApprovalState::Open);
    let refused =
        rig.requests.request(&agent("guardian"), provision(1), Options::default()).await.unwrap_err();
    assert_eq!((refused.status, refused.code.as_str()), (403, "outside_the_agents_row"));
    assert_eq!(rig.sim.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_message_of_a_real_channel_is_an_answer_once() {
    let (_world, rig) = fresh().await;
    let here = "telegram:default:777";
    let mut ask = agent("commander");
    ask.conversation = Some(here.into());
    let mut codes = Vec::new();
    for number in 1..=2 {
        let mut verb = provision(1);
        if let gf_model::verb::Verb::Provision { accounts, .. } = &mut verb {
            *accounts = vec![account(number)];
        }
        let Outcome::AwaitingApproval(approval) =
            rig.requests.request(&ask, verb, Options::default()).await.unwrap()
        else {
            panic!("a question was expected")
        };
        let message = format!("q{number}");
        rig.requests.shown(&approval.code, shown(&rig, here, Some(&message))).await.unwrap();
        codes.push(approval.code);
    }
    use gf_model::ambient::Clock;
    let message = |sender: &str, id: &str, reply: Option<&str>| InboundMessage {
        channel: "telegram".into(),
        account_id: "default".into(),
        sender_id: sender.into(),
        conversation: here.into(),
        message_id: id.into(),
        provider_update_id: None,
        text: "go".into(),
        reply_to_message_id: reply.map(str::to_owned),
        at: rig.time.now(),
    };
    let stranger = rig.requests.inbound(message("999", "m0", Some("q1"))).await.unwrap();
    assert_eq!(stranger.decision, Heard::None);
    let wrong = rig.requests.inbound(message("888", "m1", Some("q1"))).await.unwrap();
    assert_eq!(wrong.decision, Heard::Ambiguous, "an operator is no approver");
    let which = rig.requests.inbound(message("777", "m2", None)).await.unwrap();
    assert_eq!(which.decision, Heard::Ambiguous, "two questions are open");
    let granted = rig.requests.inbound(message("777", "m3", Some("q1"))).await.unwrap();
    assert_eq!((granted.decision, granted.approval.as_ref()), (Heard::Granted, Some(&codes[0])));
    // The same message delivered again, with one question left open, answers nothing.
    let replayed = rig.requests.inbound(message("777", "m3", Some("q2"))).await.unwrap();
    assert_eq!(replayed.decision, Heard::Ambiguous);
    assert_eq!(rig.approval(&codes[1]).state, ApprovalState::Open);
}

#[tokio::test(start_paused = true)]
async fn the_second_request_on_a_busy_account_is_refused() {
    let (_world, rig) = with_pairs(1).await;
    let instance = rig.primary(1).id;
    let restart =
        gf_model::verb::Verb::Restart { instances: vec![instance], reason: "test".into(), concurrency: 1 };
    let first = rig.confirmed(restart).await;
    let resize = gf_model::verb::Verb::Resize { accounts: accounts(1), tier: gf_model::Tier::Pro };
    let busy = rig.ask_confirmed(resize.clone()).await.unwrap_err();
    assert_eq!((busy.status, busy.code.as_str()), (409, "target_busy"));
    assert_eq!(rig.ended(&first).await.state, OperationState::Done);
    assert!(matches!(rig.ask_confirmed(resize).await.unwrap(), Outcome::Started(_)));
}

#[tokio::test(start_paused = true)]
async fn one_key_is_one_request() {
    let (_world, rig) = fresh().await;
    let options = Options { idempotency_key: Some("k1".into()), confirmed: true, dry_run: false };
    let ada = person("ada");
    let ask = |verb| rig.requests.request(&ada, verb, options.clone());
    let (Outcome::Started(first), Outcome::Started(second)) =
        (ask(provision(1)).await.unwrap(), ask(provision(1)).await.unwrap())
    else {
        panic!("both are answered with the operation")
    };
    assert_eq!(first.id, second.id);
    assert_eq!(ask(provision(2)).await.unwrap_err().code, "idempotency_key_reused");
}
