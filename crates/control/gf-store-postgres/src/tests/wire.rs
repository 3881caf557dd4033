//! A network between the control plane and its database that can be cut: the server notices nothing.

use super::Cluster;
use std::{
    fs, io,
    net::Shutdown,
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread,
};
use tempfile::TempDir;

const SOCKET: &str = ".s.PGSQL.5432";

pub struct Wire {
    directory: TempDir,
    /// The socket of the server that it leads to.
    server: Arc<Mutex<PathBuf>>,
    /// The control plane's ends of what goes through.
    ends: Arc<Mutex<Vec<UnixStream>>>,
}

impl Wire {
    pub fn lay(cluster: &Cluster) -> Self {
        let server = Arc::new(Mutex::new(cluster.directory().join(SOCKET)));
        let wire = Self { directory: tempfile::tempdir().unwrap(), server, ends: Arc::default() };
        let listener = UnixListener::bind(wire.directory.path().join(SOCKET)).unwrap();
        let (ends, server) = (Arc::clone(&wire.ends), Arc::clone(&wire.server));
        thread::spawn(move || {
            for near in listener.incoming() {
                let near = near.unwrap();
                ends.lock().unwrap().push(near.try_clone().unwrap());
                let server = server.lock().unwrap().clone();
                join(near, &server);
            }
        });
        wire
    }

    pub fn url(&self, database: &str) -> String {
        let socket = self.directory.path().to_str().unwrap().replace('/', "%2F");
        format!("postgres://gatewayforge@{socket}/{database}")
    }

    /// Once it is mended it leads to another server: what stands at the address is another one now.
    pub fn leads_to(&self, cluster: &Cluster) {
        *self.server.lock().unwrap() = cluster.directory().join(SOCKET);
    }

    fn away(&self) -> PathBuf {
        self.directory.path().join("away")
    }

    pub fn cut(&self) {
        fs::rename(self.directory.path().join(SOCKET), self.away()).unwrap();
        for end in self.ends.lock().unwrap().drain(..) {
            // It may be over already.
            let _ = end.shutdown(Shutdown::Both);
        }
    }

    pub fn mend(&self) {
        fs::rename(self.away(), self.directory.path().join(SOCKET)).unwrap();
    }
}

fn join(near: UnixStream, server: &Path) {
    let far = UnixStream::connect(server).unwrap();
    let copy = |from: &UnixStream, to: &UnixStream| {
        let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
        thread::spawn(move || io::copy(&mut from, &mut to));
    };
    copy(&near, &far);
    copy(&far, &near);
}
