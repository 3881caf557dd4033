//! Scheduled reports over days that pass in moments: told once each, and what was missed made up once.

use crate::rig::{Rig, World, calm, person};
use gf_model::ambient::Clock;
use gf_model::{
    Timestamp,
    notice::Recipient,
    schedule::{Report, Schedule},
};
use gf_reconcile::Cadence;
use gf_requests::Which;
use gf_store::MemoryBackend;
use std::{sync::Arc, time::Duration};

const DAY: u64 = 24 * 3600;
const TOLD: &str = "This is the scheduled briefing.";

/// Days of looking around every two seconds would take long even where no time passes.
fn slow() -> Cadence {
    let seldom = Duration::from_secs(600);
    Cadence { sweep: seldom, protect: seldom, heads: seldom, notices: Duration::from_secs(60), ..calm() }
}

async fn quiet() -> (World, Rig) {
    let world = World::new(1);
    let rig = world.start(Arc::new(MemoryBackend::default()), slow()).await;
    (world, rig)
}

fn only(rig: &Rig) -> Schedule {
    rig.read(|fleet| fleet.schedules.values().next().cloned()).expect("nothing is scheduled")
}

#[tokio::test(start_paused = true)]
async fn a_daily_report_comes_once_a_day_where_it_was_asked_for_and_stops_when_it_is_removed() {
    let (_world, rig) = quiet().await;
    let entry = rig
        .requests
        .schedule(&person("ada"), Report::Briefing, "daily 07:00".parse().unwrap())
        .await
        .unwrap();
    assert_eq!(entry.recipient, Recipient::Conversation { conversation: "cli:person-ada".into() });
    rig.pass(2 * DAY).await;
    rig.delivered().await;
    assert_eq!(rig.said.count(TOLD), 2);
    let (conversation, notice) = rig.said.told.lock().last().cloned().unwrap();
    assert_eq!(conversation, "cli:person-ada");
    assert_eq!(notice.look_at.as_deref(), Some("gf_fleet_status {}"));
    let entry = only(&rig);
    let last = entry.last_run.unwrap();
    assert_eq!(entry.when.next_after(last), Some(entry.next_run));
    assert_eq!(last.duration_since("2026-01-01T07:00:00Z".parse().unwrap()).as_hours(), 24);
    assert_eq!(rig.audit("schedule.run").await.len(), 2);

    rig.requests.unschedule(&person("ada"), &Which::Report(Report::Briefing)).await.unwrap();
    rig.pass(DAY).await;
    assert_eq!(rig.said.count(TOLD), 2);
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_while_nobody_was_there_is_made_up_once() {
    let world = World::new(1);
    let backend = MemoryBackend::default();
    let rig = world.start(Arc::new(backend.clone()), slow()).await;
    rig.requests.schedule(&person("ada"), Report::Briefing, "daily 07:00".parse().unwrap()).await.unwrap();
    rig.store.close().await;
    drop(rig);
    tokio::time::sleep(Duration::from_secs(5 * DAY)).await;
    world.time.end();

    let rig = world.start(Arc::new(backend), slow()).await;
    rig.until("the report was sent", |fleet| {
        fleet.schedules.values().any(|schedule| schedule.last_run.is_some())
    })
    .await;
    rig.delivered().await;
    assert_eq!(rig.said.count(TOLD), 1);
    let next = only(&rig).next_run;
    assert!(next > rig.time.now() && next.duration_since(rig.time.now()).as_hours() < 24, "{next}");
}

#[tokio::test(start_paused = true)]
async fn while_nobody_can_be_told_reports_do_not_pile_up() {
    let (_world, rig) = quiet().await;
    rig.said.failing.store(u64::MAX, std::sync::atomic::Ordering::Relaxed);
    rig.requests.schedule(&person("ada"), Report::Briefing, "daily 07:00".parse().unwrap()).await.unwrap();
    rig.pass(3 * DAY).await;
    assert_eq!(rig.read(|fleet| fleet.notices.len()), 1);
    rig.said.failing.store(0, std::sync::atomic::Ordering::Relaxed);
    rig.delivered().await;
    assert_eq!(rig.said.count(TOLD), 1);
}

#[tokio::test(start_paused = true)]
async fn a_report_for_once_comes_once() {
    let (_world, rig) = quiet().await;
    let entry =
        rig.requests.schedule(&person("ada"), Report::Cost, "next 07:00".parse().unwrap()).await.unwrap();
    assert!(entry.next_run > Timestamp::UNIX_EPOCH);
    rig.pass(2 * DAY).await;
    rig.delivered().await;
    assert_eq!(rig.said.count("This is the scheduled cost report."), 1);
    assert!(rig.read(|fleet| fleet.schedules.is_empty()));
}
