//! A wall clock that is set back by an hour: nothing that is over begins again, nothing is told or counted twice, and the
//! record keeps its order. (Leases know no wall clock; the simulation sets every clock wrong in any story.)

use crate::rig::{account, fresh, person, provision, with_pairs};
use gf_model::{ambient::Clock, approval::ApprovalState, schedule::Report, verb::Verb};
use gf_requests::{Options, Outcome};
use gf_store::AuditQuery;

const HOUR: i64 = 3600;
const TOLD: &str = "This is the scheduled briefing.";

#[tokio::test(start_paused = true)]
async fn a_question_that_has_lapsed_is_not_open_again_and_an_open_one_can_be_answered() {
    let (_world, rig) = fresh().await;
    let lapsed = rig.question(provision(1)).await;
    rig.until("it lapsed", |fleet| fleet.approvals[&lapsed.code].state == ApprovalState::Expired).await;
    rig.time.set_back(HOUR);
    assert!(rig.time.now() < lapsed.expires_at, "by the clock it would be open");
    let refused = rig.requests.grant(&person("ada"), &lapsed.code).await.unwrap_err();
    assert_eq!(refused.code, "approval_expired");
    rig.pass(60).await;
    assert_eq!(rig.approval(&lapsed.code).state, ApprovalState::Expired);

    let open = rig.question(provision(1)).await;
    rig.time.set_back(HOUR);
    rig.requests.grant(&person("ada"), &open.code).await.unwrap();
    assert_eq!(rig.approval(&open.code).state, ApprovalState::Granted);
}

#[tokio::test(start_paused = true)]
async fn a_report_that_was_told_is_not_told_again_when_its_hour_comes_again() {
    let (_world, rig) = fresh().await;
    let when = "daily 07:00".parse().unwrap();
    rig.requests.schedule(&person("ada"), Report::Briefing, when).await.unwrap();
    rig.pass(7 * HOUR as u64 + 600).await;
    rig.delivered().await;
    assert_eq!(rig.said.count(TOLD), 1, "{:?}", rig.said.texts());
    rig.time.set_back(HOUR);
    rig.pass(3 * HOUR as u64).await;
    rig.delivered().await;
    assert_eq!(rig.said.count(TOLD), 1, "{:?}", rig.said.texts());
    rig.pass(24 * HOUR as u64).await;
    rig.delivered().await;
    assert_eq!(rig.said.count(TOLD), 2);
}

#[tokio::test(start_paused = true)]
async fn the_record_keeps_its_order_and_its_chain_and_work_goes_on() {
    let (_world, rig) = with_pairs(1).await;
    let first = rig.time.now();
    rig.time.set_back(HOUR);
    let options = Options { confirmed: true, ..Options::default() };
    let mut more = provision(1);
    if let Verb::Provision { accounts, .. } = &mut more {
        *accounts = vec![account(2)];
    }
    let Outcome::Started(operation) = rig.requests.request(&person("ada"), more, options).await.unwrap()
    else {
        panic!("it was confirmed")
    };
    rig.ended(&operation).await;
    let rows = rig.store.audit(AuditQuery { after: Some(0), ..AuditQuery::default() }).await.unwrap();
    assert!(rows.windows(2).all(|two| two[0].seq < two[1].seq));
    assert!(rows.windows(2).any(|two| two[0].entry.at > two[1].entry.at), "the clock went back between two");
    assert!(rows.last().unwrap().entry.at < first);
    rig.audit_is_whole().await;
}
