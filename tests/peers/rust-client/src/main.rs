//! A client on the Rust SDK: does what a test asks, prints the SDK's results.
//!
//! It prints what the SDK's own API showed, as JSON. Its one argument is the session: command, args, cwd, mode, calls,
//! calls_first, and logs, which is the number of log messages to wait for. Its twin on the Python SDK is
//! `python/client.py`.

#![expect(deprecated, reason = "logging is deprecated, and what the handshake's era has")]

use std::error::Error;
use std::time::Duration;

use rmcp::ClientHandler;
use rmcp::RoleClient;
use rmcp::ServiceError;
use rmcp::model::CallToolRequestParams;
use rmcp::model::LoggingMessageNotificationParam;
use rmcp::model::ProtocolVersion;
use rmcp::service::ClientLifecycleMode;
use rmcp::service::ClientServiceExt as _;
use rmcp::service::NotificationContext;
use rmcp::service::RunningService;
use rmcp::transport::TokioChildProcess;
use serde_json::Value;
use serde_json::json;
use tokio::sync::mpsc;

/// Far longer than any step takes.
const PATIENCE: Duration = Duration::from_secs(40);

/// Forwards what the server logs.
struct Listener(mpsc::UnboundedSender<Value>);

impl ClientHandler for Listener {
    async fn on_logging_message(
        &self,
        message: LoggingMessageNotificationParam,
        _context: NotificationContext<RoleClient>,
    ) {
        self.0.send(serde_json::to_value(message).unwrap()).unwrap();
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let session: Value = serde_json::from_str(&std::env::args().nth(1).ok_or("the session is missing")?)?;
    println!("{}", tokio::time::timeout(2 * PATIENCE, run(&session)).await??);
    Ok(())
}

async fn run(session: &Value) -> Result<Value, Box<dyn Error>> {
    let (sender, mut logged) = mpsc::unbounded_channel();
    let mut client = Listener(sender).serve_with_lifecycle(server(session)?, lifecycle(session)).await?;
    let mut tools = None;
    if session["calls_first"] != true {
        tools = Some(client.list_all_tools().await?);
    }
    let mut calls = Vec::new();
    for wanted in session["calls"].as_array().ok_or("no calls")? {
        calls.push(call(&client, wanted).await?);
    }
    let tools = match tools {
        Some(tools) => tools,
        None => client.list_all_tools().await?,
    };
    let mut logs = Vec::new();
    for _ in 0..session["logs"].as_u64().unwrap_or_default() {
        // After the timeout, the messages so far are reported.
        logs.extend(tokio::time::timeout(PATIENCE, logged.recv()).await.ok().flatten());
    }
    let told = client.peer_info().ok_or("the server was not heard")?;
    client.close().await?;
    while let Ok(more) = logged.try_recv() {
        logs.push(more);
    }
    Ok(json!({
        "version": told.protocol_version, "server": told.server_info, "capabilities": told.capabilities,
        "instructions": told.instructions, "tools": tools, "calls": calls, "logs": logs,
    }))
}

/// Starts the server's process as the session says, with our own environment and standard error.
fn server(session: &Value) -> Result<TokioChildProcess, Box<dyn Error>> {
    let word = |value: &Value| value.as_str().map(str::to_owned).ok_or("not a word");
    let mut command = tokio::process::Command::new(word(&session["command"])?);
    for argument in session["args"].as_array().ok_or("no arguments")? {
        command.arg(word(argument)?);
    }
    command.current_dir(word(&session["cwd"])?);
    Ok(TokioChildProcess::new(command)?)
}

fn lifecycle(session: &Value) -> ClientLifecycleMode {
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    match session["mode"].as_str() {
        Some("legacy") => ClientLifecycleMode::Initialize,
        Some("auto") => ClientLifecycleMode::Auto { preferred_versions, legacy_version: None },
        _ => ClientLifecycleMode::Discover { preferred_versions },
    }
}

/// Returns the result of a call; an error of the server is a result too.
async fn call(client: &RunningService<RoleClient, Listener>, wanted: &Value) -> Result<Value, Box<dyn Error>> {
    let name = wanted[0].as_str().ok_or("a call without a name")?.to_owned();
    let mut params = CallToolRequestParams::new(name);
    params.arguments = wanted[1].as_object().cloned();
    match client.call_tool(params).await {
        Ok(result) => Ok(serde_json::to_value(result)?),
        Err(ServiceError::McpError(error)) => Ok(json!({ "error": error })),
        Err(other) => Err(other.into()),
    }
}
