//! The serving lease at a simulated node: as holder of its instances' leases, and as witness of other nodes'. The rules
//! are those that a real node goes by ([`gf_model::lease`]); only the way to a witness is short.

use crate::{
    commands::Said,
    host::{Due, Host, Scene},
    instance::SimInstance,
    machine::{Inner, Machine},
    world::World,
};
use gf_model::{
    NodeId,
    lease::{Held, LASTS, may_renew},
};
use gf_node_proto::{ChannelsChanged, LeaseGrant, WitnessRaise, WitnessRaised};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// After a fault of theirs so much must have passed before two nodes could not but have heard each other.
const SURELY_HEARD: Duration = Duration::from_secs(20);

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SimLease {
    terms: u64,
    /// Without one the lease does not lapse.
    witness: Option<NodeId>,
    #[serde(skip)]
    held: Held,
    /// It lapsed: the channels are closed until it is renewed.
    pub lapsed: bool,
    duty: Option<SimDuty>,
}

/// What a standby's node is the witness of.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SimDuty {
    terms: u64,
    generation: u64,
    holder: NodeId,
    #[serde(skip)]
    renewed: Option<Duration>,
}

/// What a holder asks its witness.
pub(crate) struct Question {
    instance: Box<str>,
    account: Box<str>,
    terms: u64,
    generation: u64,
    witness: NodeId,
    asked: Duration,
}

/// A lease that ended, for whoever judges that.
pub(crate) struct Lapse {
    pub instance: Box<str>,
    account: Box<str>,
    terms: u64,
    generation: u64,
    witness: NodeId,
}

impl SimLease {
    /// Whether it can end.
    pub(crate) fn lapses(&self) -> bool {
        self.witness.is_some()
    }

    pub(crate) fn stands(&self, moment: Duration) -> bool {
        self.held.stands(moment)
    }
}

impl SimInstance {
    pub(crate) fn lease_terms(&self) -> u64 {
        let Some(lease) = &self.lease else { return 0 };
        if self.primary { lease.terms } else { lease.duty.as_ref().map_or(0, |duty| duty.terms) }
    }

    pub(crate) fn lease_lapsed(&self) -> bool {
        self.lease.as_ref().is_some_and(|lease| lease.lapsed)
    }

    /// This process begins to simulate it: while it did not, no time passed for it.
    pub(crate) fn lease_goes_on(&mut self, moment: Duration) {
        if let Some(lease) = &mut self.lease {
            lease.held.renewed_by_control(moment, LASTS);
            if let Some(duty) = &mut lease.duty {
                duty.renewed = Some(moment);
            }
        }
    }
}

impl Host {
    pub(crate) fn granted(&mut self, grant: LeaseGrant, asked: Duration, scene: &mut Scene<'_>) {
        let before: Vec<_> = self.instances.iter().map(SimInstance::lease_terms).collect();
        for given in grant.leases {
            let Ok(instance) = self.instance(&given.instance_id) else { continue };
            if given.generation < instance.generation {
                continue;
            }
            instance.generation = given.generation;
            let lease = instance.lease.get_or_insert_default();
            if given.terms >= lease.terms && given.terms > 0 {
                lease.terms = given.terms;
                lease.witness = given.witness.and_then(|witness| witness.node_id.parse().ok());
            }
            lease.held.renewed_by_control(asked, Duration::from_millis(given.duration_ms.into()));
            self.reopen(&given.instance_id, scene);
        }
        for told in grant.duties {
            let Ok(instance) = self.instance(&told.instance_id) else { continue };
            let (Ok(holder), false) = (told.holder_node.parse(), instance.primary) else { continue };
            let duty = &mut instance.lease.get_or_insert_default().duty;
            if duty.as_ref().is_none_or(|known| known.terms <= told.terms) {
                let renewed = duty.as_ref().and_then(|known| known.renewed);
                *duty = Some(SimDuty { terms: told.terms, generation: told.generation, holder, renewed });
            }
        }
        if before != self.instances.iter().map(SimInstance::lease_terms).collect::<Vec<_>>() {
            // Until the control plane hears of it nothing can follow from it.
            scene.later.push((scene.now, Due::Beat));
        }
    }

    /// Opens what closed because its lease was over, where it stands again.
    fn reopen(&mut self, id: &str, scene: &Scene<'_>) {
        let Ok(instance) = self.instance(id) else { return };
        let Some(lease) = instance.lease.as_mut() else { return };
        let may = lease.witness.is_none() || lease.held.stands(scene.moment);
        if lease.lapsed && may {
            lease.lapsed = false;
            instance.channels_open = true;
            let generation = instance.generation;
            self.emit(id, generation, ChannelsChanged { open: true }, scene);
        }
    }

    /// Closes what may not be open any more; says what is to be asked now.
    pub(crate) fn look_at_leases(&mut self, scene: &Scene<'_>) -> (Vec<Question>, Vec<Lapse>) {
        let (mut questions, mut lapses) = (Vec::new(), Vec::new());
        for instance in &mut self.instances {
            let Some(lease) = &mut instance.lease else { continue };
            let Some(witness) = lease.witness.clone() else { continue };
            let (terms, generation) = (lease.terms, instance.generation);
            let serves = instance.channels_open || lease.lapsed;
            if serves && lease.held.asks_witness(scene.moment) {
                questions.push(Question {
                    instance: instance.id.clone(),
                    account: instance.account.clone(),
                    terms,
                    generation,
                    witness: witness.clone(),
                    asked: scene.moment,
                });
            }
            if instance.channels_open && !lease.held.stands(scene.moment) {
                lease.lapsed = true;
                instance.channels_open = false;
                let (instance, account) = (instance.id.clone(), instance.account.clone());
                lapses.push(Lapse { instance, account, terms, generation, witness });
            }
        }
        for lapse in &lapses {
            self.emit(&lapse.instance, lapse.generation, ChannelsChanged { open: false }, scene);
        }
        (questions, lapses)
    }

    /// When a lease must be looked at next.
    fn next_lease_look(&self, moment: Duration) -> Option<Duration> {
        let mine = self.instances.iter().filter_map(|instance| {
            let lease = instance.lease.as_ref().filter(|lease| lease.witness.is_some())?;
            (instance.channels_open || lease.lapsed).then(|| lease.held.next_look(moment))
        });
        mine.min()
    }

    /// As witness: whether this lease is renewed.
    fn witness(&mut self, question: &Question, holder: &NodeId, moment: Duration, renews: bool) -> bool {
        let half = self.instances.iter_mut().find(|i| i.account == question.account && !i.primary);
        let Some(half) = half else { return false };
        let seen = half.generation;
        let Some(duty) = half.lease.as_mut().and_then(|lease| lease.duty.as_mut()) else { return false };
        let told = (duty.terms, duty.generation);
        let yes =
            duty.holder == *holder && may_renew(told, seen, question.terms, question.generation).is_ok();
        if yes && renews {
            duty.renewed = Some(moment);
        }
        yes
    }

    pub(crate) fn raise(&mut self, order: &WitnessRaise, scene: &Scene<'_>) -> Said {
        let instance = self.instance(&order.instance_id)?;
        instance.generation = instance.generation.max(order.generation);
        let renewed = instance.lease.as_ref().and_then(|lease| lease.duty.as_ref()?.renewed);
        let idle = scene.moment.saturating_sub(renewed.unwrap_or_default());
        Ok(WitnessRaised { idle_ms: u64::try_from(idle.as_millis()).unwrap_or(u64::MAX) }.into())
    }
}

impl Inner {
    /// Sees to it that the machine is visited when one of its leases needs it.
    pub(crate) fn plan_leases(&mut self, scene: &mut Scene<'_>) {
        // What is off or stands still looks at nothing, and would be visited in vain again and again.
        let acts = self.saved.powered && !self.stalled;
        let next = self.saved.host.next_lease_look(scene.moment).filter(|_| acts);
        let next = next.map(|at| scene.now + at.saturating_sub(scene.moment));
        let planned = self.due.iter().find(|(_, due)| matches!(due, Due::Leases)).map(|(at, _)| *at);
        if planned != next {
            self.due.retain(|(_, due)| !matches!(due, Due::Leases));
            scene.later.extend(next.map(|at| (at, Due::Leases)));
        }
    }
}

impl World {
    /// Closes and asks what is due at a machine that runs.
    pub(crate) fn look_at_leases(&self, machine: &Arc<Machine>) {
        let (questions, lapses) = self.touch(machine, |inner, scene| {
            if !inner.saved.powered || inner.stalled {
                return Default::default();
            }
            let found = inner.saved.host.look_at_leases(scene);
            if let Some(watcher) = self.watcher.get() {
                for lapse in &found.1 {
                    let could = self.could_have_renewed(inner, &machine.node, lapse);
                    watcher.lapsed(&lapse.instance, could);
                }
            }
            found
        });
        drop(lapses);
        for question in questions {
            self.ask(machine, question);
        }
    }

    fn ask(&self, machine: &Arc<Machine>, question: Question) {
        let Some(witness) = self.machine(&question.witness) else { return };
        if !machine.lock().can_talk() || Arc::ptr_eq(machine, &witness) {
            return;
        }
        let yes = self.touch(&witness, |inner, scene| {
            inner.can_talk() && inner.saved.host.witness(&question, &machine.node, scene.moment, true)
        });
        if yes {
            let (there, back) = (self.lag(machine.node.as_str(), 1), self.lag(witness.node.as_str(), 2));
            self.touch(machine, |_, scene| {
                let Question { instance, asked, terms, .. } = question;
                scene.later.push((scene.now + there + back, Due::Witnessed { instance, terms, asked }));
            });
        }
    }

    /// Whether the witness of this lease was there all the while and would have renewed it.
    fn could_have_renewed(&self, holder: &Inner, node: &NodeId, lapse: &Lapse) -> bool {
        let Some(witness) = self.machine(&lapse.witness).filter(|witness| witness.node != *node) else {
            return false;
        };
        let mut witness = witness.lock();
        let question = Question {
            instance: lapse.instance.clone(),
            account: lapse.account.clone(),
            terms: lapse.terms,
            generation: lapse.generation,
            witness: lapse.witness.clone(),
            asked: Duration::ZERO,
        };
        let heard = |inner: &Inner| inner.can_talk() && inner.talks_since.elapsed() >= SURELY_HEARD;
        heard(holder) && heard(&witness) && witness.saved.host.witness(&question, node, Duration::ZERO, false)
    }
}

impl Inner {
    /// The witness's yes has arrived.
    pub(crate) fn witnessed(&mut self, id: &str, terms: u64, asked: Duration, scene: &Scene<'_>) {
        let Ok(instance) = self.saved.host.instance(id) else { return };
        // A yes under older terms is nobody's word any more.
        let Some(lease) = instance.lease.as_mut().filter(|lease| lease.terms == terms) else { return };
        lease.held.renewed_by_witness(asked, LASTS);
        self.saved.host.reopen(id, scene);
    }
}
