//! A copy of the control plane's whole store, sent while it runs.
//!
//! The answer begins with lines of JSON that say how far the copying is; the last of them says what is in the copy, and how
//! many bytes follow with which digest. The copy was read back whole before its first byte is sent. It holds what is sealed
//! as it is sealed, and no key.

use crate::{
    Api, Problem,
    auth::{Identity, access::Access},
    openapi::{Route, Routes},
};
use axum::{
    Extension,
    body::Body,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use gf_model::{audit::AuditEntry, person::PersonRole};
use gf_store::{CopyNote, Inspected};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::{self, Read, Seek},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{sync::mpsc, time::interval};
use tokio_stream::wrappers::ReceiverStream;

pub const MEDIA: &str = "application/vnd.clawops.backup";
const OFTEN: Duration = Duration::from_millis(500);
const CHUNK: usize = 256 << 10;
/// Chunks that wait for a reader who is slow.
const WAITING: usize = 4;

type Sent = Result<Bytes, io::Error>;

pub fn routes(routes: Routes) -> Routes {
    routes.add(
        Route::post(
            "/v1/store/backup",
            Access::Person(PersonRole::Admin),
            "A copy of the whole store: lines of JSON that say how far it is, then the copy.",
        )
        .media(MEDIA)
        .shown_once(),
        back_up,
    )
}

async fn back_up(State(api): State<Api>, Extension(who): Extension<Identity>) -> Result<Response, Problem> {
    let Some(room) = api.options.copies.clone() else {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "no_copies",
            "this control plane keeps nothing to copy",
        ));
    };
    let Ok(copying) = api.copying.clone().try_lock_owned() else {
        return Err(Problem::new(StatusCode::CONFLICT, "in_progress", "a copy is being made already")
            .fix("ask again when that one is done"));
    };
    let now = api.clock.now();
    let row = AuditEntry::noted(now, who.principal, "store.backup", vec!["store".to_owned()], Value::Null);
    api.store.update(|_, tx| tx.audit(row)).await.map_err(Problem::internal)?;
    let note = CopyNote {
        made_at: now,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        keys: api.options.keys.clone(),
    };
    let (send, sent) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        let file = room.join("backup.part");
        if let Err(why) = copy_and_send(&api, file, note, &send).await {
            tracing::error!(%why, "a copy of the store could not be made");
            // Nobody hears it only when whoever asked has left.
            let _ = send.send(line(json!({ "error": why }))).await;
        }
        drop(copying);
    });
    Ok(([(header::CONTENT_TYPE, MEDIA)], Body::from_stream(ReceiverStream::new(sent))).into_response())
}

fn line(what: Value) -> Sent {
    Ok(Bytes::from(format!("{what}\n")))
}

async fn copy_and_send(
    api: &Api,
    file: PathBuf,
    note: CopyNote,
    send: &mpsc::Sender<Sent>,
) -> Result<(), String> {
    let copying = api.store.back_up(file.clone(), note);
    tokio::pin!(copying);
    let mut ticks = interval(OFTEN);
    let inspected = loop {
        tokio::select! {
            done = &mut copying => break done,
            _ = ticks.tick() => {
                let copied = std::fs::metadata(&file).map_or(0, |file| file.len());
                if send.send(line(json!({ "copied": copied }))).await.is_err() {
                    tracing::info!("whoever asked for a copy has left");
                }
            }
        }
    };
    let inspected = inspected.map_err(|why| {
        let _ = std::fs::remove_file(&file);
        why.to_string()
    })?;
    let send = send.clone();
    let sending = tokio::task::spawn_blocking(move || deliver(&file, &inspected, &send));
    sending.await.map_err(|why| why.to_string())?.map_err(|why| why.to_string())
}

/// Nothing is left of the file when this returns, or when the process ends in it.
fn deliver(path: &Path, inspected: &Inspected, send: &mpsc::Sender<Sent>) -> io::Result<()> {
    let mut file = File::open(path)?;
    std::fs::remove_file(path)?;
    let mut digest = Sha256::new();
    let bytes = io::copy(&mut file, &mut digest)?;
    file.rewind()?;
    let Inspected { note, fleet, sealed, number, generation, trail } = inspected;
    let told = json!({
        "bytes": bytes, "sha256": hex::encode(digest.finalize()), "madeAt": note.made_at, "transaction": number,
        "generation": generation, "accounts": fleet.accounts.len(), "instances": fleet.live_instances().count(),
        "sealed": sealed, "rows": trail.rows, "signedUpTo": trail.signed_up_to, "whole": trail.is_whole(),
    });
    let gone = |_| io::Error::other("whoever asked has left");
    send.blocking_send(line(told)).map_err(gone)?;
    let mut chunk = vec![0; CHUNK];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(()),
            read => send.blocking_send(Ok(Bytes::copy_from_slice(&chunk[..read]))).map_err(gone)?,
        }
    }
}
