//! The chat prompt of a terminal: a line editor in a thread of its own, so that news can be printed while a person
//! types.

use super::screen::Screen;
use super::talk::Talk;
use crate::api::Api;
use crate::follow;
use crate::home::Home;
use crate::output::{Paint, paint};
use crate::problem::{Problem, Result};
use gf_tools::OperationReply;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{Config, Editor};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::thread;
use tokio::sync::mpsc::{Receiver, Sender, UnboundedSender, channel, unbounded_channel};

const WELCOME: &str = "You are talking to Commander. Ask \"how is the fleet?\"; leave with Ctrl-D.";

type LineEditor = Editor<(), FileHistory>;

pub async fn converse(mut talk: Talk, home: &Home) -> Result<()> {
    let mut editor = editor(home)?;
    if let Ok(printer) = editor.create_external_printer() {
        talk.screen.print_above(Box::new(printer));
    }
    eprintln!("{}", paint(WELCOME, Paint::Dim));
    talk.draw_questions().await?;
    let (ask, mut lines) = read_lines(editor, home.dir.join("chat-history"));
    let mut heard = talk.listen();
    let (news, mut progress) = unbounded_channel();
    loop {
        talk.screen.typing(true);
        if ask.send(()).await.is_err() {
            return Ok(());
        }
        let line = loop {
            tokio::select! {
                line = lines.recv() => break line,
                event = heard.next() => match event {
                    Some(event) => if talk.overhear(event)? { talk.draw_questions().await? },
                    None => return Err(Problem::Failed("the ops gateway has closed the conversation; `clawops up` starts it again".into())),
                },
                Some(news) = progress.recv() => tell(&mut talk.screen, news),
            }
        };
        talk.screen.typing(false);
        let Some(line) = line else { return Ok(()) };
        match talk.say(&line).await {
            Ok(Some(operation)) => follow_beside(talk.api.clone(), operation, news.clone()),
            Ok(None) => {}
            // The conversation goes on: the next line may well be possible.
            Err(problem) => talk.screen.trouble(&problem.to_string()),
        }
    }
}

fn tell(screen: &mut Screen, news: std::result::Result<OperationReply, String>) {
    match news {
        Ok(operation) => screen.progress(&operation),
        Err(trouble) => screen.trouble(&trouble),
    }
}

/// The end itself is told by Commander; here it is only the last line of counts.
fn follow_beside(api: Api, id: String, news: UnboundedSender<std::result::Result<OperationReply, String>>) {
    tokio::spawn(async move {
        let mut last = Value::Null;
        let watched = follow::watch(&api, &id, |now| {
            let counts = json!([now.state, now.targets_by_state, now.instances_by_state, now.batch]);
            if counts != last {
                last = counts;
                // Nobody listens any more when the person has left.
                let _ = news.send(Ok(now.clone()));
            }
        });
        if let Err(problem) = watched.await {
            let _ = news.send(Err(format!("cannot follow {id}: {problem}")));
        }
    });
}

fn editor(home: &Home) -> Result<LineEditor> {
    let config = Config::builder().auto_add_history(true).max_history_size(1000);
    let config = config.map(|config| config.build()).map_err(no_editor)?;
    let mut editor = LineEditor::with_config(config).map_err(no_editor)?;
    // The first conversation has no history yet.
    let _ = editor.load_history(&home.dir.join("chat-history"));
    Ok(editor)
}

fn no_editor(error: ReadlineError) -> Problem {
    Problem::Failed(format!("the terminal cannot be used for a conversation: {error}"))
}

/// One line per request; the channel ends when the person leaves.
fn read_lines(mut editor: LineEditor, history: PathBuf) -> (Sender<()>, Receiver<String>) {
    let (ask, mut asked) = channel::<()>(1);
    let (send, lines) = channel(1);
    thread::spawn(move || {
        while asked.blocking_recv().is_some() {
            let line = loop {
                match editor.readline("you › ") {
                    Ok(line) if line.trim().is_empty() => {}
                    Ok(line) => break line,
                    // Ctrl-C clears the line, as in a shell.
                    Err(ReadlineError::Interrupted) => {}
                    Err(_) => return,
                }
            };
            let _ = editor.save_history(&history);
            if send.blocking_send(line.trim().to_owned()).is_err() {
                return;
            }
        }
    });
    (ask, lines)
}
