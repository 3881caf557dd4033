//! Small fleets and plain-text renderings for the planner's tests.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use gf_model::{
    AccountId, Cents, Tier, Timestamp,
    fleet::{Account, Fleet},
    gateway::{Desired, Fencing, Gateway, Generation},
    instance::{Instance, InstanceState, Role},
    operation::Step,
    plan::Plan,
    provider::{Pool, Provider, ProviderId, ProviderStatus, RegionOffer, TrackRecord},
    snapshot::{Archive, Snapshot},
};
use gf_planner::IdSource;
use std::fmt::Write;

pub struct Counter(pub u64);

impl IdSource for Counter {
    fn next_u64(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
}

pub fn id<T: std::str::FromStr>(name: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    name.parse().unwrap()
}

pub fn now() -> Timestamp {
    "2026-11-21T09:00:00Z".parse().unwrap()
}

pub fn local_provider(name: &str) -> Provider {
    Provider {
        id: ProviderId::from(name),
        name: name.to_owned(),
        driver: "process".into(),
        regions: vec![RegionOffer {
            region: "here".into(),
            title: "This host".into(),
            continent: "LOCAL".into(),
        }],
        prices: Tier::ALL.into_iter().map(|tier| (tier, Cents(tier.list_price().0 / 2))).collect(),
        setup_fee: None,
        pool: Pool::Primary,
        status: ProviderStatus::Ok,
        score: None,
        status_asked_at: None,
        low_confidence: true,
        record: TrackRecord::default(),
    }
}

/// Two failure domains of this host and `pairs` ACTIVE pairs on them.
pub fn local(pairs: u32) -> Fleet {
    let mut fleet = Fleet::default();
    fleet.apply(local_provider("local-a").into());
    fleet.apply(local_provider("local-b").into());
    for n in 1..=pairs {
        let account: AccountId = id(&format!("{n:04}"));
        fleet.apply(Account { id: account.clone(), channels: vec![], created_at: now() }.into());
        let primary = instance(&format!("aa{n:02}"), &account, Role::Primary, "local-a");
        let standby = instance(&format!("bb{n:02}"), &account, Role::Standby, "local-b");
        fleet.apply(
            Gateway {
                primary: Some(primary.id.clone()),
                standby: Some(standby.id.clone()),
                ..Gateway::new(account, Tier::Standard, Fencing::Strict, now())
            }
            .into(),
        );
        fleet.apply(primary.into());
        fleet.apply(standby.into());
    }
    fleet
}

pub fn instance(name: &str, account: &AccountId, role: Role, provider: &str) -> Instance {
    Instance {
        state: InstanceState::Active,
        monthly_cost: Cents(600),
        generation: Generation(1),
        channels_on: role == Role::Primary,
        ..Instance::new(
            id(name),
            account.clone(),
            role,
            Tier::Standard,
            provider.into(),
            "here".into(),
            now(),
        )
    }
}

pub fn set(fleet: &mut Fleet, name: &str, state: InstanceState) {
    let instance = id(name);
    fleet.apply(Instance { state, ..fleet.instances[&instance].clone() }.into());
}

pub fn add_snapshot(fleet: &mut Fleet, account: &str) {
    let snapshot = Snapshot {
        id: id("5a01"),
        account: id(account),
        instance: id("aa01"),
        generation: Generation(1),
        taken_at: now(),
        bytes: 1,
        digest: "d".into(),
        location: "x".into(),
    };
    fleet.gateways.get_mut(&id(account)).unwrap().last_snapshot = Some(snapshot.id.clone());
    fleet.apply(snapshot.into());
}

/// Tears the first account down in the books, with an archive that is kept until `keep_until`.
pub fn archive(fleet: &mut Fleet, account: &str, keep_until: Timestamp) {
    let archive = Archive {
        id: id("a001"),
        account: id(account),
        taken_at: now(),
        bytes: 1,
        sha256: String::new(),
        location: "x".into(),
        keep_until,
    };
    let gateway = fleet.gateways.get_mut(&id(account)).unwrap();
    gateway.archive = Some(archive.id.clone());
    gateway.desired = Desired::Archived;
    let parts = [gateway.primary.take(), gateway.standby.take()];
    for part in parts.into_iter().flatten() {
        fleet.apply(Instance { state: InstanceState::Deleted, ..fleet.instances[&part].clone() }.into());
    }
    fleet.apply(archive.into());
}

/// A plan as a person would write it down.
pub fn render(plan: &Plan) -> String {
    let mut text = format!("{}\n", plan.verb.name());
    let names = |items: Vec<String>| if items.is_empty() { "none".to_owned() } else { items.join(" ") };
    let accounts = names(plan.accounts.iter().map(ToString::to_string).collect());
    let instances = names(plan.instances.iter().map(ToString::to_string).collect());
    writeln!(text, "accounts: {accounts}\ninstances: {instances}").unwrap();
    writeln!(text, "cost: {} → {}", plan.monthly_before, plan.monthly_before + plan.cost_delta).unwrap();
    for stage in &plan.stages {
        writeln!(
            text,
            "stage {:?}, {} at once, stops above {} %",
            stage.title, stage.parallel, stage.fail_above_percent
        )
        .unwrap();
        for lane in &stage.lanes {
            writeln!(text, "  {}", lane.target).unwrap();
            for record in &lane.steps {
                writeln!(text, "    {}", step(&record.step)).unwrap();
            }
        }
    }
    for (name, lines) in
        [("line", &plan.lines), ("cannot be undone", &plan.irreversible), ("warning", &plan.warnings)]
    {
        for line in lines {
            writeln!(text, "{name}: {line}").unwrap();
        }
    }
    text
}

fn step(step: &Step) -> String {
    let json = serde_json::to_value(step).unwrap();
    let parts = json.as_object().unwrap().iter().filter(|(key, value)| *key != "step" && !value.is_null());
    let words: Vec<_> =
        parts.map(|(key, value)| format!("{key}={}", value.to_string().replace('"', ""))).collect();
    format!("{} {}", step.name(), words.join(" "))
}

/// Compares with the text that was agreed on. `UPDATE_GOLDEN=1` writes it anew, to be read in the diff.
pub fn golden(name: &str, actual: &str) {
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{name}.txt"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, actual).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(actual, expected, "{} differs; read the diff, then UPDATE_GOLDEN=1", path.display());
}
