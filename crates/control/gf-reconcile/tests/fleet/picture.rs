//! What stands in the fleet and in the audit trail, for tests that judge it and for those that fail.

use crate::rig::Rig;
use gf_model::{
    ambient::Clock,
    audit::{AuditPhase, AuditRow},
    operation::OperationState,
};
use gf_store::AuditQuery;

impl Rig {
    pub async fn audit(&self, action: &str) -> Vec<AuditRow> {
        let query = AuditQuery { action: Some(action.to_owned()), after: Some(0), ..AuditQuery::default() };
        self.store.audit(query).await.unwrap()
    }

    /// Every operation that ended has one row for its start and one for each of its ends.
    pub async fn audit_is_whole(&self) {
        let verification = self.store.verify().await.unwrap();
        assert!(verification.is_whole(), "{:?}", verification.findings);
        let mut taken_up = self.audit("operation.retry").await;
        taken_up.extend(self.audit("operation.rollback").await);
        for operation in self.read(|fleet| fleet.operations.values().cloned().collect::<Vec<_>>()) {
            let rows = self.audit(operation.verb.name()).await;
            let own = |row: &&AuditRow| row.entry.operation.as_ref() == Some(&operation.id);
            let of = |phase: &[AuditPhase]| {
                rows.iter().filter(own).filter(|row| phase.contains(&row.entry.phase)).count()
            };
            assert_eq!(of(&[AuditPhase::Started]), 1, "{} began once", operation.id);
            let ends = of(&[AuditPhase::Done, AuditPhase::Failed]);
            let was_over = |row: &&AuditRow| {
                let from = row.entry.detail["from"].clone();
                serde_json::from_value::<OperationState>(from).unwrap().is_over()
            };
            let again = taken_up.iter().filter(own).filter(was_over).count();
            let expected = usize::from(operation.state.is_over()) + again;
            assert_eq!(ends, expected, "{} ended once, and once for each time it was taken up", operation.id);
        }
    }

    /// What is there, for a failing test.
    pub fn picture(&self) -> String {
        self.read(|fleet| {
            let mut lines = vec![format!("at {}", self.time.now())];
            for gateway in fleet.gateways.values() {
                lines.push(format!(
                    "{} {:?} {} primary {:?} standby {:?} endpoint {:?}",
                    gateway.account,
                    gateway.desired,
                    gateway.generation,
                    gateway.primary,
                    gateway.standby,
                    gateway.endpoint
                ));
            }
            for i in fleet.instances.values() {
                lines.push(format!(
                    "{} {:?} {} since {} channels {} uncertain {} flagged {:?}",
                    i.id, i.role, i.state, i.state_since, i.channels_on, i.uncertain, i.flagged
                ));
            }
            for node in fleet.nodes.values() {
                lines.push(format!("{} connected {} since {}", node.id, node.connected, node.last_change));
            }
            for operation in fleet.operations.values() {
                lines.push(format!(
                    "{} {} {:?} {:?}",
                    operation.id,
                    operation.verb.name(),
                    operation.state,
                    operation.error
                ));
                for record in fleet.lanes_of(&operation.id) {
                    lines.push(format!(
                        "  {} {:?} {:?}",
                        record.lane.target, record.lane.state, record.lane.error
                    ));
                    for step in &record.lane.steps {
                        lines.push(format!(
                            "    {} {:?} {} {:?} {}",
                            step.step.name(),
                            step.state,
                            step.attempts,
                            step.error,
                            step.output
                        ));
                    }
                }
            }
            for notice in fleet.notices.values() {
                lines.push(format!("{} {:?} {:?}", notice.key, notice.text, notice.delivered_at));
            }
            lines.join("\n")
        })
    }
}
