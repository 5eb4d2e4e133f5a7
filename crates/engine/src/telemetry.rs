//! Metrics and health over HTTP, for Prometheus and for whoever looks.
//!
//! ```text
//!   GET /          a page: what there is, and each session
//!   GET /metrics   Prometheus text
//!   GET /healthz   200 if the thread that mirrors turns, else 503
//! ```
//!
//! HTTP itself is hyper's: what strangers send to a port is read by what the world has tried to break. A hundred
//! lines of our own would have been fewer octets of program and more to worry about.
//!
//! * **off**      unless a configuration says where; elsewhere from one commit to the next.
//! * **bounded**  [`CONNECTIONS_MAX`] connections, one request each, with limits of size and time. Who is slow
//!   costs others their turn for as long as [`TIMES`] say, and the mirror nothing.

use std::cell::RefCell;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::{sleep, timeout};

use crate::control::Mirroring;
use crate::metrics;
use crate::picture::Picture;

/// Connections at one time, at most. Others wait with the kernel.
const CONNECTIONS_MAX: usize = 16;

/// How long things may take.
#[derive(Clone, Copy)]
pub(crate) struct Times {
    /// A request, until it is there.
    pub(crate) head: Duration,
    /// All of a connection.
    pub(crate) all: Duration,
}

/// What is usual.
pub(crate) const TIMES: Times = Times { head: Duration::from_secs(5), all: Duration::from_secs(20) };

/// Octets of a request's head, at most; hyper has no smaller buffer.
const HEAD_MAX: usize = 8192;

/// Headers of a request, at most.
const HEADERS_MAX: usize = 64;

/// How long the thread that mirrors may take to answer.
pub(crate) const TURN_TIME: Duration = Duration::from_secs(2);

/// What accepting rests for after an error: there may be no descriptors to be had.
const REST: Duration = Duration::from_millis(100);

/// The server, if there is one.
pub(crate) struct Telemetry<M> {
    mirroring: M,
    times: Times,
    state: RefCell<Option<Server>>,
}

struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl<M: Mirroring + 'static> Telemetry<M> {
    pub(crate) fn new(mirroring: M, times: Times) -> Self {
        Self { mirroring, times, state: RefCell::new(None) }
    }

    /// Listens there from now on, or nowhere. If it cannot, all stays as it is.
    pub(crate) async fn listen(&self, at: Option<SocketAddr>) -> io::Result<()> {
        let before = self.state.borrow().as_ref().map(|server| server.address);
        if before == at {
            return Ok(());
        }
        let Some(address) = at else {
            self.close().await;
            return Ok(());
        };
        // A port cannot be had twice, not even at two addresses if one of them is all of them.
        let in_the_way = before.filter(|before| before.port() == address.port());
        if in_the_way.is_some() {
            self.close().await;
        }
        match TcpListener::bind(address).await {
            Ok(listener) => {
                self.close().await;
                self.open(address, listener);
                Ok(())
            }
            Err(error) => {
                if let Some(old) = in_the_way {
                    self.open(old, TcpListener::bind(old).await?);
                }
                Err(error)
            }
        }
    }

    fn open(&self, address: SocketAddr, listener: TcpListener) {
        let task = spawn_local(accept(listener, self.mirroring.clone(), self.times));
        *self.state.borrow_mut() = Some(Server { address, task });
    }

    /// Returns when the port is free. Requests that are being answered are answered.
    async fn close(&self) {
        let server = self.state.borrow_mut().take();
        if let Some(server) = server {
            server.task.abort();
            let _ = server.task.await;
        }
    }
}

async fn accept(listener: TcpListener, mirroring: impl Mirroring + 'static, times: Times) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let mirroring = mirroring.clone();
                spawn_local(async move {
                    // Whoever is cut off, or sent what cannot be understood, has been told by hyper.
                    let _ = timeout(times.all, serve(stream, times.head, Rc::new(mirroring))).await;
                    drop(place);
                });
            }
            Err(_) => sleep(REST).await,
        }
    }
}

async fn serve(
    stream: TcpStream,
    head: Duration,
    mirroring: Rc<impl Mirroring + 'static>,
) -> hyper::Result<()> {
    let service = service_fn(move |request| {
        let mirroring = mirroring.clone();
        async move { Ok::<_, Infallible>(answer(&request, &*mirroring).await) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .keep_alive(false)
        .max_buf_size(HEAD_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .await
}

const TEXT: &str = "text/plain; charset=utf-8";

async fn answer(request: &Request<Incoming>, mirroring: &impl Mirroring) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refused =
            response(StatusCode::METHOD_NOT_ALLOWED, TEXT, String::from("Only GET and HEAD.\n"));
        refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refused;
    }
    let stuck =
        || response(StatusCode::SERVICE_UNAVAILABLE, TEXT, String::from("The mirror does not answer.\n"));
    match request.uri().path() {
        "/healthz" => match timeout(TURN_TIME, mirroring.turns()).await {
            Ok(true) => response(StatusCode::OK, TEXT, String::from("ok\n")),
            _ => stuck(),
        },
        "/metrics" => timeout(TURN_TIME, mirroring.picture()).await.map_or_else(
            |_| stuck(),
            |picture| {
                response(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", metrics::text(&picture))
            },
        ),
        "/" => timeout(TURN_TIME, mirroring.picture()).await.map_or_else(
            |_| stuck(),
            |picture| response(StatusCode::OK, "text/html; charset=utf-8", page(&picture)),
        ),
        _ => response(StatusCode::NOT_FOUND, TEXT, String::from("There are /, /metrics and /healthz.\n")),
    }
}

fn response(status: StatusCode, kind: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// For whoever looks with a browser.
fn page(picture: &Picture) -> String {
    let name = escaped(&picture.sysname);
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{name}</title></head><body>\n\
         <h1>{name}</h1>\n<p>Heliograph {}, {} routers. <a href=\"/metrics\">Metrics</a>, \
         <a href=\"/healthz\">health</a>.</p>\n\
         <table><tr><th>Session</th><th>Alias</th><th>VPN</th><th>State</th><th>Connections</th></tr>\n",
        escaped(picture.version),
        picture.routers.len(),
    );
    for session in &picture.sessions {
        let address = session.address.map(|address| address.to_string().to_uppercase());
        let _ = writeln!(
            page,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{} of {}</td></tr>",
            address.unwrap_or_default(),
            escaped(session.alias.as_deref().unwrap_or("")),
            escaped(session.vpn_instance.as_deref().unwrap_or("_public_")),
            escaped(session.state),
            session.connections_up,
            session.connections.len(),
        );
    }
    page.push_str("</table>\n</body></html>\n");
    page
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests;
