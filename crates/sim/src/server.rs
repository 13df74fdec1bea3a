//! The simulator on a socket: HTTP/1.1 without TLS.

use std::future::Future;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::answer::Outcome;
use crate::sim::Sim;

/// A simulator that listens.
pub struct Server {
    listener: TcpListener,
    sim: Sim,
}

/// Makes hyper close the connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is dropped on purpose")]
struct Dropped;

impl Server {
    /// Listens. Port 0 takes a free one.
    pub async fn bind(sim: Sim, address: SocketAddr) -> std::io::Result<Self> {
        Ok(Self { listener: TcpListener::bind(address).await?, sim })
    }

    /// Where it listens.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` resolves. Connections that are open then are closed.
    pub async fn serve(self, stop: impl Future<Output = ()>) -> std::io::Result<()> {
        let mut connections = tokio::task::JoinSet::new();
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => return Ok(()),
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => drop(connections.spawn(connection(self.sim.clone(), stream))),
                    // One connection that failed before it was accepted must not end the others.
                    Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }
}

async fn connection(sim: Sim, stream: TcpStream) {
    // Small answers must not wait for the acknowledgement of the ones before.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| one(sim.clone(), request));
    // The error of a connection is its caller's business.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn one(sim: Sim, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Dropped> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Dropped)?.to_bytes();
    match sim.answer(Request::from_parts(parts, body)).await {
        Outcome::Respond(response) => Ok(response.map(Full::new)),
        Outcome::DropConnection => Err(Dropped),
    }
}

/// Serves on a free port of the loopback until the handle is dropped or shut down.
pub async fn spawn(sim: Sim) -> std::io::Result<Running> {
    let server = Server::bind(sim, SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let address = server.address()?;
    let task = tokio::spawn(async move {
        let _ = server.serve(std::future::pending()).await;
    });
    Ok(Running { address, task })
}

/// A server in the background; it ends with this value.
pub struct Running {
    address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}
