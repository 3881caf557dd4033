//! The guest API: a few paths on a Unix socket or on loopback, for the instance itself.

use super::{Guest, GuestError};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Body, Incoming},
    header::CONTENT_TYPE,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    convert::Infallible,
    fs, io,
    net::SocketAddr,
    os::unix::fs::{FileTypeExt, PermissionsExt},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, UnixListener},
};

const LARGEST_BODY: usize = 4096;
/// For a head, and for a body.
const PATIENCE: Duration = Duration::from_secs(10);

pub enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    pub async fn bind(given: &str) -> Result<Self, GuestError> {
        let bind = |source| GuestError::Bind { given: given.to_owned(), source };
        if let Ok(addr) = given.parse::<SocketAddr>() {
            if !addr.ip().is_loopback() {
                return Err(GuestError::Listen { given: given.to_owned() });
            }
            return TcpListener::bind(addr).await.map(Self::Tcp).map_err(bind);
        }
        if !given.starts_with('/') {
            return Err(GuestError::Listen { given: given.to_owned() });
        }
        // A socket that an earlier guest left behind answers nobody; anything else is somebody's.
        match fs::symlink_metadata(given) {
            Ok(there) if there.file_type().is_socket() => fs::remove_file(given).map_err(bind)?,
            Ok(_) => return Err(bind(io::Error::new(io::ErrorKind::AlreadyExists, "this is no socket"))),
            Err(why) if why.kind() == io::ErrorKind::NotFound => {}
            Err(why) => return Err(bind(why)),
        }
        let listener = UnixListener::bind(given).map_err(bind)?;
        fs::set_permissions(given, fs::Permissions::from_mode(0o600)).map_err(bind)?;
        Ok(Self::Unix(listener))
    }
}

pub async fn serve(listener: Listener, guest: Arc<Guest>) {
    loop {
        let accepted = match &listener {
            Listener::Tcp(tcp) => tcp.accept().await.map(|(stream, _)| connect(stream, &guest)),
            Listener::Unix(unix) => unix.accept().await.map(|(stream, _)| connect(stream, &guest)),
        };
        if let Err(why) = accepted {
            tracing::warn!(%why, "a connection could not be accepted");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

fn connect(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static, guest: &Arc<Guest>) {
    let guest = Arc::clone(guest);
    tokio::spawn(async move {
        let service = service_fn(move |request| {
            let guest = Arc::clone(&guest);
            async move { Ok::<_, Infallible>(answer(&guest, request).await) }
        });
        let served = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(PATIENCE)
            .serve_connection(TokioIo::new(stream), service)
            .await;
        if let Err(why) = served {
            tracing::debug!(%why, "a connection ended early");
        }
    });
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    ttl_ms: u64,
    reason: String,
}

async fn answer(guest: &Guest, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    match (&method, path.as_str()) {
        (&Method::GET, "/healthz") => reply(StatusCode::OK, &json!({"ok": true})),
        (&Method::GET, "/v1/self") => reply(StatusCode::OK, &about(guest).await),
        (&Method::POST, "/v1/self/keepalive") => match wish(request.into_body()).await {
            Ok(wish) => hold(guest, &wish),
            Err(why) => refuse("bad_body", &why),
        },
        (&Method::DELETE, "/v1/self/keepalive") => {
            guest.keepalive.lock().release();
            reply(StatusCode::OK, &json!({"held": false}))
        }
        (_, "/healthz" | "/v1/self" | "/v1/self/keepalive") => {
            error(StatusCode::METHOD_NOT_ALLOWED, "method", &format!("{method} is not possible here"))
        }
        _ => error(StatusCode::NOT_FOUND, "not_found", "there is /healthz, /v1/self and /v1/self/keepalive"),
    }
}

async fn about(guest: &Guest) -> Value {
    let health = guest.sight.openclaw_health().await;
    let keepalive = guest.keepalive.lock();
    let held = keepalive.at(Instant::now()).map(|(left, reason)| {
        json!({"left_ms": u64::try_from(left.as_millis()).unwrap_or(u64::MAX), "reason": reason})
    });
    json!({"instance": guest.instance, "account": guest.account, "openclaw": health, "keepalive": held})
}

async fn wish<B>(body: B) -> Result<Wish, String>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let whole = tokio::time::timeout(PATIENCE, Limited::new(body, LARGEST_BODY).collect());
    let body = whole.await.map_err(|_| "the body did not come in time".to_owned())?;
    let body = body.map_err(|why| why.to_string())?;
    serde_json::from_slice(&body.to_bytes()).map_err(|why| why.to_string())
}

fn hold(guest: &Guest, wish: &Wish) -> Response<Full<Bytes>> {
    match guest.keepalive.lock().hold(wish.ttl_ms, &wish.reason, Instant::now()) {
        Ok(_) => reply(StatusCode::OK, &json!({"held": true, "ttl_ms": wish.ttl_ms})),
        Err(why) => refuse("bad_wish", &why.to_string()),
    }
}

fn refuse(code: &str, message: &str) -> Response<Full<Bytes>> {
    error(StatusCode::BAD_REQUEST, code, message)
}

fn error(status: StatusCode, code: &str, message: &str) -> Response<Full<Bytes>> {
    reply(status, &json!({"error": {"code": code, "message": message}}))
}

fn reply(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static("application/json"));
    response
}
