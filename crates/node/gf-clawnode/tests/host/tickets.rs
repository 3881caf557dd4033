//! Coming back to a control plane that began anew: by the ticket where that is honoured, else by the key.

use crate::rig::{Rig, node_id, scripted_runtime, wall};
use async_trait::async_trait;
use gf_model::{NodeId, Timestamp, ambient::Clock};
use gf_node_hub::{EnrolRefusal, MemoryRegistry, NodeRegistry, RegistryError};
use gf_node_proto::{SigningKey, TICKET_LASTS_S, VerifyingKey, VpsInfo};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

async fn started(scripts: &tempfile::TempDir) -> Rig {
    let rig = Rig::start(&scripted_runtime(scripts.path(), "exit 1")).await;
    assert!(!rig.hub.node(&node_id()).unwrap().by_ticket, "it enrolled");
    rig
}

async fn back_by_ticket(rig: &mut Rig) -> bool {
    rig.connected().await;
    rig.command(VpsInfo {}).await.unwrap();
    rig.hub.node(&node_id()).unwrap().by_ticket
}

#[tokio::test]
async fn a_node_comes_back_by_its_ticket_after_the_control_plane_began_anew_and_by_its_key_after_itself() {
    let scripts = tempfile::tempdir().unwrap();
    let mut rig = started(&scripts).await;
    rig.restart_control(rig.registry.clone(), wall()).await;
    assert!(back_by_ticket(&mut rig).await);
    rig.restart_control(rig.registry.clone(), wall()).await;
    assert!(back_by_ticket(&mut rig).await, "a ticket is good for more than once");

    // It is on no disk.
    rig.kill_node();
    rig.lost().await;
    rig.launch();
    assert!(!back_by_ticket(&mut rig).await);
}

struct Tomorrow;

impl Clock for Tomorrow {
    fn now(&self) -> Timestamp {
        Timestamp::now() + Duration::from_secs(TICKET_LASTS_S)
    }
}

#[tokio::test]
async fn a_ticket_that_is_not_honoured_costs_no_attempt() {
    let scripts = tempfile::tempdir().unwrap();
    let mut rig = started(&scripts).await;
    rig.restart_control(rig.registry.clone(), Arc::new(Tomorrow)).await;
    assert!(!back_by_ticket(&mut rig).await, "it was over");
    rig.restart_control(rig.registry.clone(), Arc::new(Tomorrow)).await;
    assert!(back_by_ticket(&mut rig).await, "it was given another one");
}

/// Knows another key for whoever is asked for first: as whoever answers for the control plane without the secret.
struct Wavering {
    known: Arc<MemoryRegistry>,
    asked: AtomicBool,
}

#[async_trait]
impl NodeRegistry for Wavering {
    async fn key_of(&self, node: &NodeId) -> Result<Option<[u8; 32]>, RegistryError> {
        match self.asked.swap(true, Ordering::Relaxed) {
            false => Ok(Some(SigningKey::from_bytes(&[99; 32]).verifying_key().to_bytes())),
            true => self.known.key_of(node).await,
        }
    }

    async fn enrol(
        &self,
        node: &NodeId,
        token: [u8; 32],
        key: VerifyingKey,
    ) -> Result<Result<(), EnrolRefusal>, RegistryError> {
        self.known.enrol(node, token, key).await
    }
}

#[tokio::test]
async fn a_ticket_that_is_answered_without_its_secret_is_thrown_away_and_the_key_is_tried() {
    let scripts = tempfile::tempdir().unwrap();
    let mut rig = started(&scripts).await;
    let wavering = Wavering { known: rig.registry.clone(), asked: AtomicBool::new(false) };
    rig.restart_control(Arc::new(wavering), wall()).await;
    assert!(!back_by_ticket(&mut rig).await);
}
