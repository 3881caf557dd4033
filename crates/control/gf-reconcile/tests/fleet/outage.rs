//! A place that everybody leaves: in waves, with a record, and with nothing built anew before its provider recovers.

use crate::rig::{Rig, accounts, person, with_pairs};
use gf_driver_sim::Refusal;
use gf_model::{
    AccountId,
    fleet::Fleet,
    incident::IncidentState,
    notice::Severity,
    operation::{Operation, OperationState},
    provider::{ProviderId, ProviderStatus},
    verb::{Outage, SilenceScope, Verb},
};
use gf_node_proto::FailureReason;
use gf_operations::ask_status;

fn hetzner() -> ProviderId {
    "hetzner".into()
}

async fn asked(rig: &Rig) -> ProviderStatus {
    ask_status(rig.engine.hands(), &hetzner()).await.unwrap().unwrap().status
}

fn leave(count: u32) -> Verb {
    let accounts = accounts(count);
    Verb::Failover {
        account: accounts[0].clone(),
        reason: "outage".into(),
        outage: Some(Outage { provider: hetzner(), region: None, accounts }),
    }
}

fn began_together(rig: &Rig, operation: &Operation) -> usize {
    let lanes = rig.read(|fleet| fleet.lanes_of(&operation.id).cloned().collect::<Vec<_>>());
    let span = |lane: &gf_model::operation::LaneRecord| {
        let began = lane.lane.steps.first().and_then(|step| step.started_at).unwrap();
        let ended = lane.lane.steps.last().and_then(|step| step.finished_at).unwrap();
        (began, ended)
    };
    let spans: Vec<_> = lanes.iter().map(span).collect();
    spans
        .iter()
        .map(|(at, _)| spans.iter().filter(|(began, ended)| began <= at && at < ended).count())
        .max()
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_place_is_left_in_waves_and_what_was_lost_there_waits_for_its_provider() {
    let (_world, rig) = with_pairs(23).await;
    rig.sim.slow(&hetzner(), Some(3.0));
    assert!(matches!(asked(&rig).await, ProviderStatus::Incident { .. }));

    let operation = rig.confirmed(leave(23)).await;
    assert_eq!(operation.stages.iter().map(|stage| stage.lanes).collect::<Vec<_>>(), [20, 3]);
    rig.until("it is written down", |fleet| !fleet.incidents.is_empty()).await;
    let silence = rig.read(|fleet| fleet.silences.values().next().cloned().unwrap());
    assert_eq!(silence.scope, SilenceScope::Provider(hetzner()));
    assert!(silence.until.duration_since(operation.created_at).as_mins() <= 60);

    let ended = rig.ended(&operation).await;
    assert_eq!(ended.state, OperationState::Done, "{}", rig.picture());
    assert!(began_together(&rig, &operation) <= 20);
    for number in 1..=23 {
        assert_ne!(rig.primary(number).provider, hetzner());
    }
    rig.until("it was summed up", |fleet| fleet.incidents.values().any(|it| it.timeline.len() == 2)).await;
    let incident = rig.read(|fleet| fleet.incidents.values().next().cloned().unwrap());
    assert_eq!((incident.state, incident.accounts.len()), (IncidentState::Open, 23));
    assert!(incident.timeline[0].text.contains("23 accounts, 2 waves"), "{:?}", incident.timeline);
    assert!(
        incident.timeline[1].text.contains("23 moved, 0 did not; 0 primaries are still"),
        "{:?}",
        incident.timeline
    );
    rig.delivered().await;
    assert_eq!(rig.said.count("OUTAGE hetzner: 23 moved"), 1, "{:?}", rig.said.texts());

    // Their standbys were lost there, and wait.
    rig.pass(1800).await;
    assert!(rig.operations("rebuild_standby").is_empty(), "{}", rig.picture());
    rig.sim.slow(&hetzner(), None);
    rig.until("every pair is whole", |fleet| {
        fleet.gateways.keys().all(|account| fleet.standby_of(account).is_some_and(|it| it.is_active()))
    })
    .await;
    rig.delivered().await;
    assert_eq!(rig.said.count("RECOVERED: hetzner"), 1, "{:?}", rig.said.texts());
    rig.audit_is_whole().await;
}

#[tokio::test(start_paused = true)]
async fn what_a_provider_says_of_itself_is_kept_with_when_it_was_asked() {
    let (_world, rig) = with_pairs(1).await;
    assert_eq!(rig.read(|fleet| fleet.providers[&hetzner()].status_asked_at), None);
    assert_eq!(asked(&rig).await, ProviderStatus::Ok);
    assert!(rig.read(|fleet| fleet.providers[&hetzner()].status_asked_at.is_some()));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_does_not_answer_is_unknown_and_its_incident_is_not_over() {
    let (_world, rig) = with_pairs(1).await;
    rig.sim.refuse(1, Refusal::ForGood);
    assert_eq!(asked(&rig).await, ProviderStatus::Unknown);
    rig.sim.refuse_nothing();
    rig.sim.slow(&hetzner(), Some(3.0));
    assert!(matches!(asked(&rig).await, ProviderStatus::Incident { .. }));
    rig.sim.refuse(1, Refusal::ForGood);
    assert!(matches!(asked(&rig).await, ProviderStatus::Incident { .. }), "silence says nothing new");
}

fn lose_all_primaries(rig: &Rig, pairs: u32) {
    for number in 1..=pairs {
        let primary = rig.primary(number).id;
        rig.sim.break_start(&primary, Some(FailureReason::StateUnreadable)).unwrap();
        rig.sim.kill(&primary).unwrap();
    }
}

fn still_there(fleet: &Fleet) -> usize {
    let there = |account: &&AccountId| fleet.primary_of(account).unwrap().provider == hetzner();
    fleet.gateways.keys().filter(there).count()
}

/// Every primary of a place is lost at once. Nobody but the control plane's own nodes saw it, until its provider says so.
#[tokio::test(start_paused = true)]
async fn too_many_failovers_wait_for_a_second_witness_and_go_on_by_the_providers_word() {
    const PAIRS: u32 = 14;
    let (_world, rig) = with_pairs(PAIRS).await;
    lose_all_primaries(&rig, PAIRS);
    rig.until("as many as may have moved", |fleet| {
        still_there(fleet) == PAIRS as usize - gf_policy::limits::BREAKER_FLOOR
    })
    .await;
    rig.pass(120).await;
    assert_eq!(rig.read(still_there), PAIRS as usize - gf_policy::limits::BREAKER_FLOOR, "{}", rig.picture());
    rig.delivered().await;
    assert_eq!(rig.said.texts().iter().filter(|text| text.contains("Failovers are held back")).count(), 1);

    rig.sim.slow(&hetzner(), Some(3.0));
    rig.until("everybody moved", |fleet| still_there(fleet) == 0).await;
    rig.audit_is_whole().await;
}

/// The same, and the provider does not answer: nobody knows, so nothing goes on.
#[tokio::test(start_paused = true)]
async fn a_provider_that_does_not_answer_lifts_no_halt_and_what_it_says_then_does() {
    const PAIRS: u32 = 14;
    let (_world, rig) = with_pairs(PAIRS).await;
    rig.sim.refuse(1, Refusal::ForGood);
    assert_eq!(asked(&rig).await, ProviderStatus::Unknown);
    lose_all_primaries(&rig, PAIRS);
    let halted = PAIRS as usize - gf_policy::limits::BREAKER_FLOOR;
    rig.until("as many as may have moved", |fleet| still_there(fleet) == halted).await;
    // Less than the ten minutes after which as many again might move.
    rig.pass(300).await;
    assert_eq!(rig.read(still_there), halted, "{}", rig.picture());
    assert_eq!(rig.read(|fleet| fleet.providers[&hetzner()].status.clone()), ProviderStatus::Unknown);
    rig.sim.refuse_nothing();
    rig.sim.slow(&hetzner(), Some(3.0));
    rig.until("everybody moved", |fleet| still_there(fleet) == 0).await;
    rig.audit_is_whole().await;
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_falls_silent_in_its_outage_is_not_taken_as_well_before_it_says_so() {
    let (_world, rig) = with_pairs(2).await;
    rig.sim.slow(&hetzner(), Some(3.0));
    assert!(matches!(asked(&rig).await, ProviderStatus::Incident { .. }));
    let operation = rig.confirmed(leave(2)).await;
    assert_eq!(rig.ended(&operation).await.state, OperationState::Done, "{}", rig.picture());
    // Its incident ends, and nobody hears of it.
    rig.sim.refuse(1, Refusal::ForGood);
    assert!(matches!(asked(&rig).await, ProviderStatus::Incident { .. }));
    rig.sim.slow(&hetzner(), None);
    rig.pass(1800).await;
    assert!(rig.operations("rebuild_standby").is_empty(), "{}", rig.picture());
    assert_eq!(rig.said.count("RECOVERED"), 0);
    rig.sim.refuse_nothing();
    rig.until("every pair is whole", |fleet| {
        fleet.gateways.keys().all(|account| fleet.standby_of(account).is_some_and(|it| it.is_active()))
    })
    .await;
    rig.delivered().await;
    assert_eq!(rig.said.count("RECOVERED: hetzner"), 1, "{:?}", rig.said.texts());
}

#[tokio::test(start_paused = true)]
async fn an_agent_leaves_no_place_without_a_persons_yes() {
    let (_world, rig) = with_pairs(2).await;
    let question = rig.question(leave(2)).await;
    rig.pass(60).await;
    assert_eq!(rig.primary(1).provider, hetzner(), "nothing moves before somebody agreed");
    rig.requests.grant(&person("ada"), &question.code).await.unwrap();
    rig.until("both moved", |fleet| {
        fleet.gateways.keys().all(|account| fleet.primary_of(account).unwrap().provider != hetzner())
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn places_that_cannot_be_made_page_with_the_error_after_two_retries() {
    let (_world, rig) = with_pairs(1).await;
    for _ in 0..3 {
        rig.sim.next_call(&hetzner(), gf_driver_sim::CallFault::Away);
    }
    let more = Verb::Provision {
        accounts: vec!["acct-0002".parse().unwrap()],
        tier: gf_model::Tier::Standard,
        regions: vec!["eu".into()],
        primary_provider: Some(hetzner()),
        standby_provider: Some("vultr".into()),
        purpose: None,
    };
    let operation = rig.confirmed(more).await;
    assert_eq!(rig.ended(&operation).await.state, OperationState::Failed, "{}", rig.picture());
    let tries = rig.read(|fleet| {
        fleet
            .lanes_of(&operation.id)
            .flat_map(|lane| &lane.lane.steps)
            .map(|step| step.attempts)
            .max()
            .unwrap()
    });
    assert_eq!(tries, 3);
    rig.delivered().await;
    let told = rig.said.told.lock().clone();
    let page =
        told.iter().map(|(_, notice)| notice).find(|notice| notice.severity == Severity::Critical).unwrap();
    assert!(
        page.text.contains("after two retries") && page.text.contains("cannot be reached"),
        "{}",
        page.text
    );
}
