//! Fleets to look at: all well, except for what is put wrong on purpose.

use gf_model::{
    AccountId, Cents, InstanceId, OperationId, Tier, Timestamp,
    fleet::{Account, Change},
    gateway::{Fencing, Gateway, Generation},
    health::{Health, Observation},
    instance::{Instance, InstanceState, Role},
    operation::{Lane, LaneId, LaneRecord, LaneState, Operation, OperationState, StageHead, Step, StepState},
    person::Principal,
    provider::{Pool, Provider, ProviderStatus, RegionOffer, TrackRecord},
    verb::Verb,
};
use std::collections::BTreeMap;

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + seconds).unwrap()
}

pub fn account(n: u32) -> AccountId {
    format!("acct-{n:04}").parse().unwrap()
}

pub fn instance_id(n: u32, role: Role) -> InstanceId {
    InstanceId::from_bits(u64::from(n * 2 + u32::from(role == Role::Standby)) + 0x1000, 4)
}

pub fn provider(name: &str) -> Provider {
    Provider {
        id: name.into(),
        name: name.to_owned(),
        driver: "sim".to_owned(),
        regions: vec![RegionOffer {
            region: "nbg1".into(),
            title: "Nuremberg".into(),
            continent: "EU".into(),
        }],
        prices: Tier::ALL
            .into_iter()
            .map(|tier| (tier, Cents(tier.list_price().0 / 2)))
            .collect::<BTreeMap<_, _>>(),
        setup_fee: None,
        pool: Pool::Primary,
        status: ProviderStatus::Ok,
        score: Some(93),
        status_asked_at: None,
        low_confidence: false,
        record: TrackRecord::default(),
    }
}

pub fn instance(n: u32, role: Role, state: InstanceState) -> Instance {
    let (provider, generation) = match role {
        Role::Primary => ("hetzner", 1),
        Role::Standby => ("vultr", 0),
    };
    let serving = state == InstanceState::Active;
    Instance {
        state,
        state_since: at(600),
        monthly_cost: Cents(600),
        place: Some(format!("{provider}/{n}")),
        node: Some(format!("node-{provider}-{n}").parse().unwrap()),
        endpoint: Some(format!("http://127.0.0.1:{}", 7500 + n % 1000)),
        generation: Generation(generation),
        channels_on: role == Role::Primary,
        health: Some(Health::of(Observation { http_ok: serving, ..Observation::default() }, at(900))),
        last_boot_ms: Some(11_200),
        active_at: serving.then(|| at(12)),
        ..Instance::new(
            instance_id(n, role),
            account(n),
            role,
            Tier::Standard,
            provider.into(),
            "nbg1".into(),
            at(0),
        )
    }
}

pub fn pair(n: u32, primary: InstanceState, standby: InstanceState) -> Vec<Change> {
    let gateway = Gateway {
        primary: Some(instance_id(n, Role::Primary)),
        standby: Some(instance_id(n, Role::Standby)),
        ..Gateway::new(account(n), Tier::Standard, Fencing::Strict, at(i64::from(n)))
    };
    vec![
        Account { id: account(n), channels: Vec::new(), created_at: at(0) }.into(),
        gateway.into(),
        instance(n, Role::Primary, primary).into(),
        instance(n, Role::Standby, standby).into(),
    ]
}

/// A provision of two pairs of which the first half is up.
pub fn running_provision() -> Vec<Change> {
    let id: OperationId = "op-91c2".parse().unwrap();
    let accounts = vec![account(9001), account(9002)];
    let lane = |index: u32, n: u32, role: Role, state: LaneState| {
        let instance = instance_id(n, role);
        let create = Step::CreateInstance {
            instance: instance.clone(),
            account: account(n),
            role,
            tier: Tier::Standard,
            provider: "hetzner".into(),
            region: "nbg1".into(),
            memory: None,
        };
        let mut lane = Lane::new(account(n).to_string(), vec![create, Step::AwaitActive { instance }]);
        lane.state = state;
        if state == LaneState::Done {
            for (step, (from, to)) in lane.steps.iter_mut().zip([(0, 1), (1, 12)]) {
                (step.state, step.started_at, step.finished_at) =
                    (StepState::Done, Some(at(from)), Some(at(to)));
            }
        }
        Change::from(LaneRecord { id: LaneId { operation: id.clone(), stage: 0, index }, lane })
    };
    let verb = Verb::Provision {
        accounts,
        tier: Tier::Standard,
        regions: Vec::new(),
        primary_provider: None,
        standby_provider: None,
        purpose: None,
    };
    let operation = Operation {
        id: id.clone(),
        verb,
        state: OperationState::Running,
        principal: Principal::Agent("commander".into()),
        approval: None,
        plan_hash: String::new(),
        stages: vec![StageHead {
            title: "Make pairs".into(),
            parallel: 4,
            fail_above_percent: 100,
            lanes: 4,
            passed_at: None,
        }],
        conversation: None,
        audit_seq: None,
        trace: None,
        created_at: at(0),
        finished_at: None,
        error: None,
    };
    let mut changes = vec![
        operation.into(),
        lane(0, 9001, Role::Primary, LaneState::Done),
        lane(1, 9001, Role::Standby, LaneState::Running),
        lane(2, 9002, Role::Primary, LaneState::Running),
        lane(3, 9002, Role::Standby, LaneState::Running),
    ];
    changes.extend(pair(9001, InstanceState::Active, InstanceState::Bootstrapping));
    changes.extend(pair(9002, InstanceState::Bootstrapping, InstanceState::Creating));
    changes
}

/// `n` pairs; of a large fleet one is down and a few are unprotected.
pub fn of(n: u32) -> Vec<Change> {
    let mut changes: Vec<Change> = vec![provider("hetzner").into(), provider("vultr").into()];
    for i in 1..=n {
        let (primary, standby) = match i {
            400 => (InstanceState::Failed, InstanceState::Failed),
            500..=503 => (InstanceState::Active, InstanceState::Degraded),
            600 => (InstanceState::Degraded, InstanceState::Active),
            _ => (InstanceState::Active, InstanceState::Active),
        };
        changes.extend(pair(i, primary, standby));
    }
    changes
}
