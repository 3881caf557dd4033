//! `clawops`: what an operator types.
//!
//! A client of the REST API and nothing else, except that `up` and `down` run the other programs and `chat` talks to
//! Commander through the ops gateway. It holds no state and decides nothing that the control plane decides.

mod api;
mod args;
mod bundle;
mod chat;
mod consent;
mod controllers;
mod debug;
mod examples;
mod follow;
mod home;
mod http;
mod output;
mod problem;
mod signing;
mod up;
mod verbs;

use args::{Cli, Command, PeopleCommand, StoreCommand};
use clap::{CommandFactory, Parser};
use home::Home;
use problem::Result;
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let json = cli.json;
    match run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            if json {
                eprintln!("{}", problem.to_json());
            } else {
                eprintln!("clawops: {problem}");
            }
            ExitCode::from(problem.exit_code())
        }
    }
}

async fn run(cli: Cli) -> Result<()> {
    let json = cli.json;
    match cli.command {
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "clawops", &mut script);
            output::print(String::from_utf8_lossy(&script).trim_end());
            return Ok(());
        }
        Command::Tools => return verbs::tools::show(json),
        _ => {}
    }
    let home = Home::find_with_environment(cli.home, cli.port_base)?;
    match cli.command {
        Command::Up(args) => up::up(&home, &args, json).await,
        Command::Brain { listen } => up::brain_alone(&home, listen),
        Command::Down => up::down::down(&home, json).await,
        Command::SupportBundle { to } => bundle::make(&home, to, json),
        Command::Debug { what, limit } => debug::debug(&home, what, limit, json),
        Command::Status => up::status::status(&home, json).await,
        Command::Chat { text } => chat::chat(&home, &text.join(" "), json).await,
        // Whoever signs elsewhere needs no control plane there.
        Command::People(PeopleCommand::SigningKey) => verbs::signing_key(&home, json),
        Command::Store(StoreCommand::Restore(args)) => verbs::store::restore(&home, args),
        command => verbs::run(&api::Api::open(&home)?, &home, command, json).await,
    }
}
