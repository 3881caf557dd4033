//! Spans of the real program at a collector that speaks the standard's HTTP, and at one that is not there.

use crate::run::{Running, command, home, running};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, common::v1::any_value::Value as Text, trace::v1::Span,
};
use prost::Message;
use serde_json::json;
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::mpsc,
    thread,
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Takes `POST /v1/traces` with protobuf, as the standard says, and answers so.
fn collector(answer: &'static str) -> (String, mpsc::Receiver<Span>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (to, from) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let to = to.clone();
            thread::spawn(move || while take(stream.as_ref().unwrap(), answer, &to).is_some() {});
        }
    });
    (url, from)
}

/// One request of a connection; nothing at its end.
fn take(stream: &TcpStream, answer: &str, to: &mpsc::Sender<Span>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|read| *read > 0)?;
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    reader.read_exact(&mut body).ok()?;
    assert_eq!(first, "POST /v1/traces HTTP/1.1\r\n");
    assert_eq!(headers["content-type"], "application/x-protobuf");
    let taken = ExportTraceServiceRequest::decode(body.as_slice()).expect("it is what the standard says");
    let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n");
    (&*stream).write_all(answer.as_bytes()).ok()?;
    for spans in taken.resource_spans.into_iter().flat_map(|of| of.scope_spans) {
        for span in spans.spans {
            to.send(span).ok()?;
        }
    }
    Some(())
}

fn control_plane(home: &Path, url: &str) -> Running {
    let mut process = command(home);
    process.args(["--sim-pace", "0.01", "--sim-pairs", "1"]).env("CLAWOPS_OTLP_ENDPOINT", url);
    running(process, home)
}

fn provision(running: &Running) {
    let header = format!("traceparent: 00-{TRACE}-00f067aa0ba902b7-01\r\n");
    let order = json!({"count": 1, "tier": "nano"}).to_string();
    let path = "/v1/tools/gf_provision?confirm=true";
    let answer = running.try_send("POST", path, &running.key(), &header, &order).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let operation = running.ask("GET", "/v1/operations?limit=1", json!(null)).1["items"][0]["id"].clone();
    assert_eq!(running.ended(&operation)["state"], "DONE");
}

fn metric(running: &Running, name: &str) -> u64 {
    let answer = running.send("GET", "/metrics", &running.key(), "", "");
    let line =
        answer.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}: {answer}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
fn a_collector_gets_the_spans_of_one_trace_from_the_request_to_the_machine_and_no_secret() {
    let (url, spans) = collector("200 OK");
    let (_directory, home) = home();
    let running = control_plane(&home, &url);
    const SECRET: &str = "a-secret-of-this-test";
    let path = "/v1/accounts/acct-0001/secrets/telegram/token?token=a-secret-of-this-test";
    running.ask("PUT", path, json!({"value": SECRET}));
    let path = "/v1/accounts/acct-0001/secrets/telegram/token";
    assert_eq!(running.ask("PUT", path, json!({"value": SECRET})).0, 200);
    provision(&running);

    let mut seen: Vec<Span> = Vec::new();
    let named = |seen: &[Span], name: &str| {
        seen.iter()
            .filter(|span| span.name == name && hex(&span.trace_id) == TRACE)
            .cloned()
            .collect::<Vec<_>>()
    };
    let wanted = ["request", "tool", "operation", "lane", "step", "provider", "command"];
    while !wanted.iter().all(|name| !named(&seen, name).is_empty()) {
        let next = spans.recv_timeout(std::time::Duration::from_secs(120));
        let missing: Vec<_> = wanted.iter().filter(|name| named(&seen, name).is_empty()).collect();
        seen.push(next.unwrap_or_else(|_| panic!("{missing:?} never came: {seen:?}")));
    }
    let is_below = |name: &str, above: &str| {
        let above: Vec<_> = named(&seen, above).into_iter().map(|span| span.span_id).collect();
        named(&seen, name).iter().any(|span| above.contains(&span.parent_span_id))
    };
    assert!(is_below("tool", "request") && is_below("step", "lane"), "{seen:?}");
    assert!(is_below("provider", "step") && is_below("command", "step"), "{seen:?}");
    for span in &seen {
        assert!(span.span_id.len() == 8 && span.trace_id.len() == 16, "{span:?}");
        assert!(span.end_time_unix_nano >= span.start_time_unix_nano && span.start_time_unix_nano > 0);
        for attribute in &span.attributes {
            let Some(Text::StringValue(text)) =
                attribute.value.as_ref().and_then(|value| value.value.as_ref())
            else {
                panic!("{attribute:?}")
            };
            assert!(!text.contains(SECRET) && !text.contains(&running.key()), "{span:?}");
        }
    }
    running
        .until("it is counted", || (metric(&running, "clawops_spans_sent_total") > 0).then(|| json!(null)));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_collector_that_refuses_and_one_that_is_not_there_cost_spans_and_nothing_else() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let (refusing, _spans) = collector("503 Service Unavailable");
    for url in [nobody, refusing] {
        let (_directory, home) = home();
        let running = control_plane(&home, &url);
        provision(&running);
        running.until("they are counted as lost", || {
            (metric(&running, "clawops_spans_lost_total") > 0).then(|| json!(null))
        });
        assert_eq!(metric(&running, "clawops_spans_sent_total"), 0);
        assert_eq!(running.end(), 0);
    }
}

#[test]
fn an_address_that_is_none_is_refused_at_the_start_without_being_repeated() {
    let (_directory, home) = home();
    let mut process = command(&home);
    let output = process.env("CLAWOPS_OTLP_ENDPOINT", "collector.example/a-token").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("http://") && !said.contains("a-token"), "{said}");
}
