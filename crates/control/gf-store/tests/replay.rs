//! A fleet that is read again equals the fleet that was written, whatever was written.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{account, entry, moment};
use gf_model::{
    InstanceId, RevisionId, Tier,
    channel::{AccountChannel, SecretName},
    fleet::{Change, Fleet, Key, Once, Record},
    gateway::Generation,
    health::{Health, Observation},
    instance::{Instance, InstanceState, Role},
    operation::{Lane, LaneId, LaneRecord, Step},
    person::Principal,
    provider::{Pool, Provider, ProviderStatus, TrackRecord},
    revision::Revision,
    verb::{Silence, SilenceScope},
};
use gf_store::{FleetStore, SqliteBackend, StoreOptions};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((".{0,6}", inner), 0..4)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

fn instance(number: u64, state: InstanceState, percent: f32, words: String) -> Instance {
    Instance {
        id: InstanceId::from_bits(number, 4),
        account: account(number).id,
        role: if number.is_multiple_of(2) { Role::Primary } else { Role::Standby },
        state,
        state_since: moment(number as i64),
        uncertain: number.is_multiple_of(3),
        tier: Tier::ALL[number as usize % 4],
        provider: "local-a".into(),
        region: "here".into(),
        monthly_cost: gf_model::Cents(number as i64 - 3),
        place: Some(words.clone()),
        node: None,
        endpoint: None,
        generation: Generation(number),
        channels_on: true,
        lease_terms: 0,
        health: Some(Health {
            score: 80,
            deductions: Vec::new(),
            observed: Observation { disk_percent: Some(percent), ..Observation::default() },
            at: moment(7),
        }),
        last_boot_ms: Some(number),
        restarts: vec![moment(1), moment(2)],
        waits_to_boot: number.is_multiple_of(5),
        revision: Some(RevisionId(number)),
        remembers: None,
        flagged: Some(words),
        created_at: moment(0),
        active_at: None,
    }
}

fn any_record() -> impl Strategy<Value = Record> {
    // Few numbers, so that records replace and delete one another.
    let number = 0_u64..6;
    prop_oneof![
        (number.clone(), ".{0,20}", any_json()).prop_map(|(number, name, settings)| {
            let channel = AccountChannel { kind: "irc".into(), secret: Some(SecretName(name)), settings };
            let mut account = account(number);
            account.channels.push(channel);
            Record::Account(account)
        }),
        (number.clone(), 0_usize..11, any::<f32>().prop_filter("finite", |f| f.is_finite()), ".{0,20}")
            .prop_map(|(number, state, percent, words)| {
                Record::Instance(instance(number, InstanceState::ALL[state], percent, words))
            }),
        (".{0,8}", any_json()).prop_map(|(key, answer)| Record::Once(Once { key, at: moment(0), answer })),
        (number.clone(), any_json(), ".{0,20}").prop_map(|(number, patch, description)| {
            Record::Revision(Revision {
                id: RevisionId(number),
                description,
                patch,
                digest: "d".into(),
                created_at: moment(3),
                created_by: Principal::Agent("commander".into()),
            })
        }),
        (number.clone(), number.clone(), any_json(), ".{0,9}").prop_map(|(stage, index, output, target)| {
            let operation = "op-91c2".parse().unwrap();
            let mut lane =
                Lane::new(target, vec![Step::Restart { instance: InstanceId::from_bits(index, 4) }]);
            lane.steps[0].output = output;
            let id = LaneId { operation, stage: stage as u32, index: index as u32 };
            Record::Lane(LaneRecord { id, lane })
        }),
        (number.clone(), ".{0,20}").prop_map(|(number, reason)| {
            let scope = SilenceScope::Instance(InstanceId::from_bits(number, 4));
            Record::Silence(Silence { scope, until: moment(9), reason })
        }),
        (number, "[a-z/# ]{0,6}").prop_map(|(number, name)| {
            Record::Provider(Provider {
                id: name.as_str().into(),
                name,
                driver: "sim".into(),
                regions: Vec::new(),
                prices: BTreeMap::from([(Tier::Nano, gf_model::Cents(number as i64))]),
                setup_fee: None,
                pool: Pool::Primary,
                status: ProviderStatus::Unknown,
                score: None,
                status_asked_at: None,
                low_confidence: true,
                record: TrackRecord::default(),
            })
        }),
    ]
}

/// A put, or the deletion of what such a put would have made.
fn any_change() -> impl Strategy<Value = Change> {
    (any_record(), prop::bool::weighted(0.25)).prop_map(|(record, delete)| match delete {
        true => Change::Delete(Record::key(&record)),
        false => Change::Put(record),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_fleet_read_again_is_the_fleet_that_was_written(
        transactions in prop::collection::vec(prop::collection::vec(any_change(), 0..6), 0..12),
        detail in any_json(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("gatewayforge.db");
        let open = || {
            FleetStore::open(Arc::new(SqliteBackend::open(&path).unwrap()), StoreOptions::default()).unwrap()
        };
        let mut expected = Fleet::default();
        let store = open();
        for changes in transactions {
            for change in &changes {
                expected.apply(change.clone());
            }
            let mut row = entry("noted", "acct-0001");
            row.detail = detail.clone();
            let write = store.update(|_, tx| {
                tx.audit(row);
                for change in changes {
                    match change {
                        Change::Put(_) => tx.put(change),
                        Change::Delete(key) => tx.delete(key),
                    }
                }
            });
            runtime.block_on(write).unwrap();
        }
        prop_assert_eq!(&store.read(Fleet::clone), &expected);
        runtime.block_on(store.close());
        drop(store);

        let again = open();
        prop_assert_eq!(&again.read(Fleet::clone), &expected);
        prop_assert!(runtime.block_on(again.verify()).unwrap().is_whole());
        let rows = runtime.block_on(again.audit(Default::default())).unwrap();
        prop_assert!(rows.iter().all(|row| row.entry.detail == detail));
        runtime.block_on(again.close());
    }
}

#[test]
fn a_key_names_its_object() {
    let lane: LaneId = "op-91c2/0/3".to_owned().try_into().unwrap();
    let json = serde_json::to_value(Key::Lane(lane)).unwrap();
    assert_eq!(json, json!({"kind": "lane", "id": "op-91c2/0/3"}));
}
