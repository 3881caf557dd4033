//! Instances that stand still, and what a simulated machine has not got: it answers such commands as a machine
//! without these programs does, never with an invention.

use crate::{
    commands::Said,
    host::{Failed, Host, Scene, failure},
    instance::{OPENCLAW, Phase},
};
use gf_node_proto::{FailureCode, InstanceSummary, ParkReport, Reply, body_name, command::Body, reply};

/// A thaw takes about as long as a real one.
const WAKE_MS: u32 = 60;

/// What a simulated machine has no program for.
pub(crate) fn not_simulated(body: &Body) -> Failed {
    let what = body_name(body);
    failure(FailureCode::NotInstalled, format!("a simulated machine has no program for {what}"))
}

impl Host {
    pub(crate) fn park(&mut self, id: &str, scene: &mut Scene<'_>) -> Said {
        let instance = self.instance(id)?;
        match instance.phase {
            Phase::Serving => instance.phase = Phase::Parked,
            Phase::Parked => {}
            _ => {
                return Err(failure(
                    FailureCode::NotRunning,
                    "only an instance that serves and has nothing to do is parked",
                ));
            }
        }
        self.report(id, 1, scene)
    }

    /// Whatever needs an instance wakes it.
    pub(crate) fn wake(&mut self, id: &str) {
        if let Ok(instance) = self.instance(id)
            && instance.phase == Phase::Parked
        {
            instance.phase = Phase::Serving;
        }
    }

    pub(crate) fn told_awake(&mut self, id: &str, scene: &Scene<'_>) -> Said {
        self.report(id, WAKE_MS, scene)
    }

    pub(crate) fn update(&mut self, id: &str, version: &str, scene: &mut Scene<'_>) -> Said {
        self.instance(id)?;
        if version != OPENCLAW {
            let message = format!("OpenClaw {version} is not installed here; this machine has {OPENCLAW}");
            return Err(failure(FailureCode::NotInstalled, message));
        }
        self.told(id, scene)
    }

    fn report(&mut self, id: &str, took_ms: u32, scene: &Scene<'_>) -> Said {
        let instance: InstanceSummary = match self.told(id, scene)?.body {
            Some(reply::Body::Instance(summary)) => summary,
            _ => InstanceSummary::default(),
        };
        Ok(Reply::from(ParkReport { instance: Some(instance), took_ms }))
    }
}
