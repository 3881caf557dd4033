//! The verbs: each turns its flags into one request of the REST API and shows the answer.

mod act;
mod adopt;
mod approvals;
mod audit;
mod automation;
pub mod fleet;
mod instance;
mod nodes;
mod operations;
mod page;
mod people;
mod policy;
mod rules;
mod secrets;
mod sla;
pub mod store;
pub mod tools;
mod trace;
mod upkeep;

pub use people::signing_key;

use crate::api::Api;
use crate::args::{Command, FleetCommand, NodesCommand};
use crate::home::Home;
use crate::problem::Result;
use gf_tools::FailoverParams;

pub async fn run(api: &Api, home: &Home, command: Command, json: bool) -> Result<()> {
    match command {
        Command::Fleet(FleetCommand::Status { provider, region }) => {
            fleet::status(api, provider, region, json).await
        }
        Command::Pairs => fleet::pairs(api, json).await,
        Command::Instances { instance: None } => fleet::instances(api, json).await,
        Command::Instances { instance: Some(id) } => instance::show(api, &id, json).await,
        Command::Provision(args) => act::provision(api, args, json).await,
        Command::Teardown(args) => act::teardown(api, args, json).await,
        Command::Restore(args) => act::restore(api, args, json).await,
        Command::Resize(args) => act::resize(api, args, json).await,
        Command::Push(args) => act::push(api, args, json).await,
        Command::Rollback { operation, consent } => act::rollback(api, operation, consent, json).await,
        Command::Restart(args) => act::restart(api, args, json).await,
        Command::Failover { account, provider, region, reason, consent } => {
            let params = FailoverParams { account_id: account, provider, region, reason };
            act::failover(api, params, consent, json).await
        }
        Command::Op(command) => operations::run(api, command, json).await,
        Command::Approvals(command) => approvals::run(api, home, command, json).await,
        Command::Freeze { reason } => automation::freeze(api, &reason, json).await,
        Command::Thaw => automation::thaw(api, json).await,
        Command::Sla { month, account, missed, limit } => {
            sla::show(api, sla::Asked { month, account, missed, limit }, json).await
        }
        Command::Trace { trace } => trace::show(api, &trace, json).await,
        Command::Nodes { command } => nodes::run(api, command.unwrap_or(NodesCommand::List), json).await,
        Command::Pin { account, reason } => upkeep::pin(api, &account, &reason, json).await,
        Command::Unpin { account } => upkeep::unpin(api, &account, json).await,
        Command::Window { account, when } => upkeep::window(api, &account, when, json).await,
        Command::Audit(command) => audit::run(api, command, json).await,
        Command::People(command) => people::run(api, home, command, json).await,
        Command::Secrets(command) => secrets::run(api, command, json).await,
        Command::Policy(command) => policy::run(api, command, json).await,
        Command::Store(command) => store::run(api, command, json).await,
        Command::Adopt { consent } => adopt::adopt(api, consent, json).await,
        Command::Page => page::page(api, json).await,
        // These need no control plane; `main` runs them before a connection is opened.
        Command::Up(_)
        | Command::Down
        | Command::Status
        | Command::Debug { .. }
        | Command::SupportBundle { .. }
        | Command::Chat { .. }
        | Command::Brain { .. }
        | Command::Tools
        | Command::Completions { .. } => Ok(()),
    }
}
