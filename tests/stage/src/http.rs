//! As much of HTTP as health checks and the simulator's control API on loopback need.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// An answer over HTTP.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body, with what is not UTF-8 replaced.
    pub body: String,
}

impl Answer {
    /// Whether the status is a 2xx.
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Sends one request (`method` such as `GET`, `url` such as `http://127.0.0.1:9000/readyz`, an empty `body` for none)
/// and reads the answer; gives up after five seconds of silence. For loopback: no TLS, no redirects.
pub fn request(method: &str, url: &str, body: &str) -> Result<Answer> {
    exchange(method, url, body).with_context(|| format!("{method} {url}"))
}

fn exchange(method: &str, url: &str, body: &str) -> Result<Answer> {
    let patience = Duration::from_secs(5);
    let rest = url.strip_prefix("http://").context("only http:// is spoken here")?;
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let address = host.to_socket_addrs()?.next().context("the name has no address")?;
    let mut stream = TcpStream::connect_timeout(&address, patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    // HTTP/1.0: the answer is never chunked and the connection closes behind it.
    let path = if path.is_empty() { "/" } else { path };
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    parse(&String::from_utf8_lossy(&bytes))
}

fn parse(answer: &str) -> Result<Answer> {
    let (head, body) = answer.split_once("\r\n\r\n").context("the answer is cut off")?;
    let Some(status) = head.split(' ').nth(1).and_then(|code| code.parse().ok()) else {
        bail!("this is not HTTP: {}", head.lines().next().unwrap_or_default());
    };
    Ok(Answer { status, body: body.to_owned() })
}

/// Whether a GET of that address is answered with a 2xx.
pub(crate) fn answers(url: &str) -> bool {
    request("GET", url, "").is_ok_and(|answer| answer.is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_status_and_a_body() {
        let answer = parse("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 5\r\n\r\nlater").unwrap();
        assert_eq!((answer.status, answer.body.as_str(), answer.is_ok()), (503, "later", false));
        assert!(parse("SSH-2.0-OpenSSH\r\n\r\n").is_err());
    }
}
