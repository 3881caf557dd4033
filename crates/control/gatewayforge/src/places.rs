//! The drivers of this control plane, and what they sell, written down where plans read it.

use crate::args::Args;
use anyhow::{Context, Result};
use gf_driver::{Driver, Drivers, Enrolment, MayAct, Permitted};
use gf_driver_process::ProcessDriver;
use gf_driver_sim::{SimFleet, SimSettings};
use gf_model::{
    Timestamp,
    ambient::{Clock, Entropy},
    fleet::Fleet,
};
use gf_node_hub::Hub;
use gf_requests::adopt;
use gf_store::FleetStore;
use std::{path::Path, sync::Arc};

/// The simulated machines, in their room.
const WORLD: &str = "world.json";

/// What drivers are made with.
pub struct Surroundings<'a> {
    pub home: &'a Path,
    /// Asked before every call, where another control plane may lead.
    pub may_act: Option<&'a MayAct>,
    pub hub: &'a Hub,
    pub enrolment: &'a Arc<dyn Enrolment>,
    pub clock: &'a Arc<dyn Clock>,
    pub entropy: &'a Arc<dyn Entropy>,
}

/// The drivers, and the simulation where there is one: it sleeps until this control plane leads, and ends when it is dropped.
pub fn open(args: &Args, around: Surroundings<'_>) -> Result<(Drivers, Option<SimFleet>)> {
    let mut drivers: Vec<Arc<dyn Driver>> =
        vec![Arc::new(ProcessDriver::new(around.hub.clone(), around.entropy.clone(), args.port_base))];
    // Whoever takes over has to find the same machines.
    let room = args.files.as_deref().unwrap_or(around.home).join("sim");
    let wanted = args.sim_pairs > 0 || room.join(WORLD).exists();
    let sim = if wanted { Some(simulation(&around, &room, args.sim_pace)?) } else { None };
    drivers.extend(sim.iter().map(|sim| Arc::new(sim.driver()) as Arc<dyn Driver>));
    if let Some(may_act) = around.may_act {
        let permit = |driver| Arc::new(Permitted::new(driver, Arc::clone(may_act))) as Arc<dyn Driver>;
        drivers = drivers.into_iter().map(permit).collect();
    }
    Ok((Drivers::new(drivers)?, sim))
}

/// Writes down what is sold, and fills an empty fleet where a simulation was asked for.
pub async fn offer_and_fill(
    store: &FleetStore,
    drivers: &Drivers,
    sim: Option<&SimFleet>,
    pairs: u32,
    now: Timestamp,
) -> Result<()> {
    offer(store, drivers).await?;
    let Some(sim) = sim else { return Ok(()) };
    sim.wake().context("the simulation could not be opened")?;
    populate(store, sim, pairs, now).await
}

fn simulation(around: &Surroundings<'_>, room: &Path, pace: f64) -> Result<SimFleet> {
    crate::keys::private_directory(room)?;
    let settings = SimSettings { state: Some(room.join(WORLD)), pace, ..SimSettings::default() };
    let (hub, enrolment) = (around.hub.clone(), around.enrolment.clone());
    Ok(SimFleet::asleep(settings, hub, enrolment, around.clock.clone(), around.entropy.clone()))
}

/// An empty fleet is filled; one that has accounts, or lost them, is left as it is.
async fn populate(store: &FleetStore, sim: &SimFleet, pairs: u32, now: Timestamp) -> Result<()> {
    let holds = |fleet: &Fleet| !fleet.gateways.is_empty() || adopt::is_open(fleet).is_some();
    if pairs == 0 || store.read(holds) {
        return Ok(());
    }
    let changes = sim.populate(pairs as usize, now);
    store
        .update(|_, tx| changes.into_iter().for_each(|change| tx.put(change)))
        .await
        .context("the simulated fleet could not be written down")?;
    tracing::info!(pairs, "a simulated fleet was made");
    Ok(())
}

/// What is sold now. What the fleet has decided and measured about a provider stays.
async fn offer(store: &FleetStore, drivers: &Drivers) -> Result<()> {
    let offered = drivers.providers();
    store
        .update(|fleet, tx| {
            for mut provider in offered {
                if let Some(kept) = fleet.providers.get(&provider.id) {
                    provider.pool = kept.pool;
                    provider.status = kept.status.clone();
                    provider.score = kept.score;
                    provider.low_confidence = kept.low_confidence;
                    provider.record = kept.record.clone();
                    if *kept == provider {
                        continue;
                    }
                }
                tx.put(provider);
            }
        })
        .await
        .context("the providers could not be written down")
}
