//! Who may write: real processes, one of them stopped in the middle of its life by the kernel.

use super::{
    OPTIONS,
    lost::{hold, stalled},
    open, server, store,
};
use crate::{Address, Lost, PostgresBackend, PostgresOptions};
use gf_store::{
    Backend, FleetStore, StoreError, StoreOptions,
    contract::{account, entry},
};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use std::{
    env,
    io::{BufRead, BufReader, Write, stdin, stdout},
    process::{Child, ChildStdout, Command, Stdio},
    sync::Arc,
    time::Duration,
};

const URL: &str = "GF_STORE_POSTGRES_URL";
const ME: &str = "tests::lease::a_control_plane_that_was_paused_and_replaced_changes_nothing";

struct First {
    process: Child,
    says: BufReader<ChildStdout>,
}

impl Drop for First {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl First {
    /// Starts one that writes, waits for a word, and says what became of its next write.
    fn start(url: &str) -> Self {
        let mut process = Command::new("setpriv")
            // Ended with the test even by a kill: nobody else would wake what was paused.
            .args(["--pdeathsig", "KILL", "--"])
            .arg(env::current_exe().unwrap())
            .args([ME, "--exact", "--nocapture"])
            .env(URL, url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let says = BufReader::new(process.stdout.take().unwrap());
        let mut first = Self { process, says };
        assert_eq!(first.hear(), "wrote as 1");
        first
    }

    /// The next thing it says. It writes a line at once, and the test harness prints lines of its own.
    fn hear(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(self.says.read_line(&mut line).unwrap() > 0, "it ended and said nothing more");
            if let Some((_, said)) = line.trim_end().split_once("first: ") {
                return said.to_owned();
            }
        }
    }

    fn tell_to_write(&mut self) {
        self.process.stdin.as_mut().unwrap().write_all(b"write\n").unwrap();
    }

    /// Stops it, and returns once all of it stands still: a signal stops the other threads only when one has taken it.
    fn pause(&self) {
        self.signal(Signal::STOP);
        let (_, status) = waitpid(Some(self.pid()), WaitOptions::UNTRACED).unwrap().unwrap();
        assert!(status.stopped(), "it ended: {status:?}");
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.process.id().try_into().unwrap()).unwrap()
    }

    fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }
}

/// Both the one who looks on and, executed again with an address, the one who is paused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_control_plane_that_was_paused_and_replaced_changes_nothing() {
    if let Ok(url) = env::var(URL) {
        return write_when_told(&url).await;
    }
    let (_cluster, url) = server();
    let mut first = First::start(&url);
    first.pause();
    let second = store(&url);
    assert_eq!(second.generation(), 2, "its lease was over by the database's clock");
    second.update(|_, tx| tx.put(account(2))).await.unwrap();
    let (fleet, head) = (second.read(Clone::clone), second.audit_head());

    first.signal(Signal::CONT);
    first.tell_to_write();
    assert_eq!(first.hear(), "refused: ours 1, theirs 2");
    assert_eq!(first.hear(), "told that it must stop");
    assert!(first.process.wait().unwrap().success());

    let stored = open(&url).unwrap().load().unwrap();
    assert_eq!((stored.fleet, stored.head, stored.number), (fleet, head, 2));
    second.update(|_, tx| tx.put(account(3))).await.unwrap();
    second.close().await;
}

/// It has sent half of a transaction when it is paused, and holds what the next one needs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_control_plane_that_is_paused_in_a_transaction_keeps_nobody_out() {
    let (mut cluster, url) = server();
    let mut first = First::start(&url);
    let held = hold(&cluster, "LOCK TABLE gatewayforge.objects IN SHARE MODE");
    first.tell_to_write();
    stalled(&mut cluster);
    first.pause();
    drop(held);
    let second = store(&url);
    second.update(|_, tx| tx.put(account(2))).await.unwrap();
    first.signal(Signal::CONT);
    let said = first.hear();
    assert!(said.contains("ended before the commit; nothing was changed"), "{said}");
    assert_eq!(first.hear(), "told that it must stop");
    assert_eq!(open(&url).unwrap().load().unwrap().fleet, second.read(Clone::clone));
    second.close().await;
}

async fn write_when_told(url: &str) {
    let backend = Arc::new(open(url).unwrap());
    let mut lost = backend.lost();
    let store = FleetStore::open(backend, StoreOptions::default()).unwrap();
    store.update(|_, tx| tx.put(account(1))).await.unwrap();
    // One write per line: a line that arrives is whole.
    let say = |text: String| stdout().write_all(format!("first: {text}\n").as_bytes()).unwrap();
    say(format!("wrote as {}", store.generation()));
    stdin().read_line(&mut String::new()).unwrap();
    let written = store.update(|_, tx| {
        tx.audit(entry("teardown", "acct-0002", 0));
        tx.put(account(4));
    });
    match *written.await.unwrap_err() {
        StoreError::Deposed { ours, theirs } => say(format!("refused: ours {ours}, theirs {theirs}")),
        ref other => say(other.to_string()),
    }
    lost.wait_for(|lost| *lost == Some(Lost::Replaced)).await.unwrap();
    say("told that it must stop".to_owned());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_control_plane_is_told_who_the_first_is_and_waits_for_nobody_who_lives() {
    let (_cluster, url) = server();
    // Long enough that a busy machine does not keep a living one from showing that it lives.
    let options = PostgresOptions { lease: Duration::from_secs(8), ..OPTIONS };
    let named = |holder: &str| {
        let address = Address::parse(&url).unwrap();
        Arc::new(PostgresBackend::open(address, holder.to_owned(), options).unwrap())
    };
    let first = FleetStore::open(named("gatewayforge on one, pid 7"), StoreOptions::default()).unwrap();
    let refused = FleetStore::open(named("two"), StoreOptions::default()).err().unwrap();
    assert!(
        matches!(&refused, StoreError::Leased { holder, .. } if holder == "gatewayforge on one, pid 7"),
        "{refused}"
    );
    assert!(refused.to_string().contains("stop that one first"), "{refused}");
    first.update(|_, tx| tx.put(account(1))).await.unwrap();
    first.close().await;
    let second = FleetStore::open(named("two"), StoreOptions::default()).unwrap();
    assert_eq!(second.generation(), 2);
    second.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_that_ran_out_and_that_nobody_took_is_renewed_by_the_next_write() {
    let (cluster, url) = server();
    let store = store(&url);
    store.update(|_, tx| tx.put(account(1))).await.unwrap();
    cluster.sql("fleet", "UPDATE gatewayforge.control SET expires = 'epoch'");
    store.update(|_, tx| tx.put(account(2))).await.unwrap();
    assert_eq!(
        cluster.sql("fleet", "SELECT expires > clock_timestamp(), generation FROM gatewayforge.control"),
        "t|1"
    );
    let terms = cluster.sql("fleet", "SELECT generation, holder, after_number FROM gatewayforge.terms");
    assert_eq!(terms, "1|a test|0");
    store.close().await;
}
