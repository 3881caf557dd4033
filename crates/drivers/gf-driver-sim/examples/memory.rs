//! How much memory a fleet of simulated nodes takes, with the hub that serves them and the fleet's records:
//! `cargo run --release -p gf-driver-sim --example memory -- 847`.

use gf_driver_sim::{
    SimFleet, SimSettings,
    testing::{Office, SeededEntropy, TokioClock, control_key, hub},
};
use gf_model::{
    Timestamp,
    fleet::{Change, Fleet, Record},
};
use gf_node_hub::NodeEvent;
use gf_node_proto::VerifyingKey;
use std::{env, error::Error, fs};

fn resident_bytes() -> Result<u64, Box<dyn Error>> {
    let pages = fs::read_to_string("/proc/self/statm")?;
    let resident = pages.split(' ').nth(1).ok_or("statm has no second field")?;
    Ok(resident.parse::<u64>()? * 4096)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let pairs: usize = env::args().nth(1).map_or(Ok(847), |given| given.parse())?;
    let office = Office::new(control_key());
    let (hub, mut events) = hub(&office, 1);
    let (clock, entropy) = (TokioClock::starting_now(), SeededEntropy::new(1));
    let sim = SimFleet::open(SimSettings::default(), hub, office.clone(), clock, entropy)?;
    let before = resident_bytes()?;

    let mut fleet = Fleet::default();
    for change in sim.populate(pairs, Timestamp::now()) {
        if let Change::Put(Record::Node(node)) = &change {
            let key =
                <[u8; 32]>::try_from(hex::decode(&node.public_key)?).map_err(|_| "a key is not 32 bytes")?;
            office.know(node.id.clone(), VerifyingKey::from_bytes(&key)?);
        }
        fleet.apply(change);
    }
    let populated = resident_bytes()?;
    let (mut connected, mut told) = (0, 0);
    while connected < sim.len() || told < sim.len() {
        match events.recv().await {
            Some(NodeEvent::Connected { .. }) => connected += 1,
            Some(NodeEvent::Changed { .. }) => told += 1,
            Some(NodeEvent::Lost { node, why, .. }) => eprintln!("{node} was lost: {why}"),
            Some(NodeEvent::Reported { receipt, .. }) => receipt.done(),
            None => return Err("the hub ended".into()),
        }
    }
    let after = resident_bytes()?;
    let nodes = sim.len() as u64;
    println!("{} pairs, {nodes} nodes, {connected} connected", fleet.gateways.len());
    println!("records and machines: {} bytes a node", (populated - before) / nodes);
    println!("links and the hub:    {} bytes a node", (after - populated) / nodes);
    println!("resident in all:      {:.1} MiB", after as f64 / f64::from(1 << 20));
    Ok(())
}
