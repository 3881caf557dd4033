//! Is this the gateway we meant: the right release, and no agent with a tool too many?

use crate::{Error, OpsGateway, Result};
use openclaw_client::{Client, probe, version};
use std::collections::BTreeSet;
use std::time::Duration;

const WITHIN: Duration = Duration::from_secs(20);

impl OpsGateway {
    /// Connects and refuses a gateway in which an agent has other tools than the team file says.
    pub async fn verify(&self) -> Result<Client> {
        let startup = probe::startup(self.endpoint.addr, WITHIN).await?;
        version::check(startup.version.as_deref().unwrap_or("unknown"))?;
        let client = Client::connect(&self.endpoint, WITHIN).await?;
        let checks = self
            .team
            .agents
            .iter()
            .map(async |(id, agent)| check_tools(id, &agent.tools, &client.tools_effective(id).await?));
        futures_util::future::try_join_all(checks).await?;
        Ok(client)
    }
}

fn check_tools(agent: &str, wanted: &[String], effective: &[String]) -> Result<()> {
    let wanted: BTreeSet<&String> = wanted.iter().collect();
    let effective: BTreeSet<&String> = effective.iter().collect();
    if wanted == effective {
        return Ok(());
    }
    let names = |set: Vec<&&String>| set.into_iter().map(|name| (*name).clone()).collect();
    Err(Error::Tools {
        agent: agent.into(),
        extra: names(effective.difference(&wanted).collect()),
        missing: names(wanted.difference(&effective).collect()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_tool_too_many_or_too_few_is_refused_by_name() {
        let list = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        let wanted = list(&["gf_fleet_status", "sessions_send"]);
        assert!(check_tools("commander", &wanted, &list(&["sessions_send", "gf_fleet_status"])).is_ok());
        let refusal = check_tools("commander", &wanted, &list(&["gf_fleet_status", "exec"]));
        let refusal = refusal.unwrap_err().to_string();
        assert!(refusal.contains("exec") && refusal.contains("sessions_send"), "{refusal}");
    }
}
