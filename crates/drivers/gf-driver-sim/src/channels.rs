//! What is ordered about an instance's channels, as far as its lease allows it.

use crate::{
    commands::{Said, stale},
    host::{Host, Scene},
    instance::SimInstance,
};
use gf_node_proto::{ChannelsChanged, ChannelsSet, InstanceRole};
use std::time::Duration;

impl Host {
    pub(crate) fn set_channels(&mut self, set: ChannelsSet, scene: &Scene<'_>) -> Said {
        let instance = self.instance(&set.instance_id)?;
        if set.generation < instance.generation {
            return Err(stale(set.generation, instance.generation));
        }
        instance.generation = set.generation;
        let was_primary = instance.primary;
        match set.role() {
            InstanceRole::Primary => instance.primary = true,
            InstanceRole::Standby => instance.primary = false,
            InstanceRole::Unspecified => {}
        }
        let (before, becomes) = (instance.channels_open, set.open && !was_primary && instance.primary);
        instance.order_channels(set.open, becomes, scene.moment);
        let open = instance.channels_open;
        if open != before {
            self.emit(&set.instance_id, set.generation, ChannelsChanged { open }, scene);
        }
        self.told(&set.instance_id, scene)
    }
}

impl SimInstance {
    /// What was ordered about its channels, as far as its lease allows it.
    pub(crate) fn order_channels(&mut self, open: bool, becomes_primary: bool, moment: Duration) {
        if becomes_primary {
            // It was somebody's witness until now, and holds nothing yet.
            self.lease = None;
        }
        let lease = self.lease.as_mut().filter(|lease| lease.lapses());
        let waits = open && lease.as_ref().is_some_and(|lease| !lease.stands(moment));
        if let Some(lease) = lease {
            lease.lapsed = waits;
        }
        self.channels_open = open && !waits;
    }
}
