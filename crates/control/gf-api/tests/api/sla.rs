//! The service of a month, as it is asked for.

use crate::support::{Door, code, fleet};
use gf_model::{
    AccountId, Timestamp,
    fleet::{Change, Record},
    gateway::Gateway,
    served::{Gap, Lapse, LapseKind, ServiceLog, Watch},
};
use serde_json::Value;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn account(n: u32) -> AccountId {
    format!("acct-{n:04}").parse().unwrap()
}

/// Three accounts in October 2020: one was down for five hours, one for a minute, one not at all, and nobody looked for
/// ten minutes; from the third of September on somebody did.
fn october() -> Vec<Change> {
    let lapse = |kind, from: &str, to: &str| Lapse { kind, from: at(from), to: Some(at(to)) };
    let long = lapse(LapseKind::Down, "2020-10-05T00:00:00Z", "2020-10-05T05:00:00Z");
    let short = [
        lapse(LapseKind::Down, "2020-10-06T00:00:00Z", "2020-10-06T00:01:00Z"),
        lapse(LapseKind::Planned, "2020-10-07T00:00:00Z", "2020-10-07T00:02:00Z"),
    ];
    let now = at("2020-11-02T00:00:00Z");
    let log = |lapses: &[Lapse], n| {
        ServiceLog { lapses: lapses.to_vec(), known_since: None }.kept(&account(n), now)
    };
    let gap = Gap { from: at("2020-10-20T00:00:00Z"), to: at("2020-10-20T00:10:00Z") };
    let watch = Watch { known_since: at("2020-09-03T00:00:00Z"), until: now, gaps: vec![gap] };
    let old = |change| match change {
        Change::Put(Record::Gateway(gateway)) => {
            Gateway { created_at: at("2020-01-01T00:00:00Z"), ..gateway }.into()
        }
        other => other,
    };
    let mut changes: Vec<Change> = fleet::of(3).into_iter().map(old).collect();
    changes.extend([log(&[long], 1).into(), log(&short, 2).into(), watch.kept(now).into()]);
    changes
}

#[tokio::test]
async fn each_second_of_a_month_is_told_once_the_worst_account_first_in_pages() {
    let door = Door::open(october()).await;
    let ask = async |path: &str| door.ask("viewer-key", "GET", path, None).await;
    let (status, reply) = ask("/v1/sla?month=2020-10").await;
    assert_eq!(status, 200, "{reply}");
    assert_eq!((&reply["total"], &reply["missed"], &reply["undecided"]), (&3.into(), &1.into(), &0.into()));
    let of = |item: &Value, name: &str| item[name].as_u64().unwrap();
    for item in reply["items"].as_array().unwrap() {
        let parts = [
            "upSeconds",
            "downSeconds",
            "plannedSeconds",
            "unknownSeconds",
            "outsideSeconds",
            "toComeSeconds",
        ];
        assert_eq!(parts.iter().map(|part| of(item, part)).sum::<u64>(), 31 * 86_400, "{item}");
        assert_eq!(of(item, "unknownSeconds"), 600);
    }
    let first = &reply["items"][0];
    assert_eq!((&first["accountId"], &first["verdict"]), (&"acct-0001".into(), &"missed".into()));
    assert_eq!((of(first, "downSeconds"), of(first, "secondsLeft")), (18_000, 0));
    let second = &reply["items"][1];
    assert_eq!((of(second, "downSeconds"), of(second, "plannedSeconds")), (60, 120));

    let page = ask("/v1/sla?month=2020-10&limit=1&after=acct-0001").await.1;
    assert_eq!((&page["items"][0]["accountId"], &page["next"]), (&"acct-0002".into(), &"acct-0002".into()));
    let missed = ask("/v1/sla?month=2020-10&verdict=missed").await.1;
    assert_eq!((missed["items"].as_array().unwrap().len(), &missed["next"]), (1, &Value::Null));
    let one = ask("/v1/sla?month=2020-10&account=acct-0003").await.1;
    assert_eq!((&one["total"], &one["items"][0]["achievedPercent"]), (&1.into(), &100.0.into()));
}

#[tokio::test]
async fn a_time_in_which_nobody_looked_is_unknown_and_never_served() {
    let door = Door::open(october()).await;
    let ask = async |path: &str| door.ask("viewer-key", "GET", path, None).await.1;
    let before = ask("/v1/sla?month=2020-08&account=acct-0003").await;
    let line = &before["items"][0];
    assert_eq!((&line["upSeconds"], &line["verdict"]), (&0.into(), &"unknown".into()), "{line}");
    assert!(line["achievedPercent"].is_null());
    // What an agent is told of one account says the same.
    let (status, pair) =
        door.tool("gf_pair_status", serde_json::json!({"accountId": "acct-0003", "month": "2020-08"})).await;
    assert_eq!(
        (status, &pair["slaMet"], &pair["sla"]["upSeconds"]),
        (200, &Value::Null, &0.into()),
        "{pair}"
    );
    assert!(pair["summary"].as_str().unwrap().contains("How it was served in 2020-08 is unknown"), "{pair}");
    let never = Door::open(fleet::of(1)).await;
    let reply = never.ask("viewer-key", "GET", "/v1/sla", None).await.1;
    assert_eq!(reply["items"][0]["upSeconds"], 0, "{reply}");
}

#[tokio::test]
async fn what_is_no_month_no_account_and_no_verdict_is_said() {
    let door = Door::open(fleet::of(1)).await;
    for (query, expected) in [
        ("month=2020-13", "bad_month"),
        ("month=october", "bad_month"),
        ("account=acct-9999", "unknown_account"),
        ("verdict=fine", "unknown_state"),
        ("limit=0", "bad_limit"),
        ("after=acct-0009", "unknown_cursor"),
    ] {
        let answer = door.ask("viewer-key", "GET", &format!("/v1/sla?{query}"), None).await;
        assert_eq!(code(&answer), expected, "{query}: {answer:?}");
    }
}
