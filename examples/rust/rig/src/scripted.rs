//! A model that needs no network: it uses its tool once, and then says what it has learnt; louder, if
//! that is asked.

use rig_core::completion::{
    AssistantContent, CompletionError, CompletionModel, CompletionRequest, CompletionResponse,
    Message, Usage,
};
use rig_core::message::{ToolResultContent, UserContent};
use rig_core::streaming::StreamingCompletionResponse;
use rig_core::OneOrMany;
use serde_json::json;

#[derive(Clone)]
pub(crate) struct Scripted;

impl Scripted {
    fn answer(&self, messages: &OneOrMany<Message>) -> AssistantContent {
        let said = messages.iter().filter_map(|message| match message {
            Message::User { content } => Some(content.first()),
            _ => None,
        });
        let (mut learnt, mut is_louder) = (None, false);
        for content in said {
            match content {
                UserContent::ToolResult(result) => match result.content.first() {
                    ToolResultContent::Text(text) => learnt = Some(text.text),
                    _ => learnt = None,
                },
                UserContent::Text(text) => is_louder |= text.text == "louder",
                _ => {}
            }
        }
        match learnt {
            None => AssistantContent::tool_call("call_1", "changes", json!({"version": 7})),
            Some(news) if is_louder => AssistantContent::text(format!("{}!", news.to_uppercase())),
            Some(news) => AssistantContent::text(news),
        }
    }
}

impl CompletionModel for Scripted {
    type Response = ();
    type StreamingResponse = ();
    type Client = ();

    fn make((): &(), _model: impl Into<String>) -> Self {
        Self
    }

    async fn completion(
        &self,
        request: CompletionRequest,
    ) -> Result<CompletionResponse<()>, CompletionError> {
        Ok(CompletionResponse {
            choice: OneOrMany::one(self.answer(&request.chat_history)),
            usage: Usage::new(),
            raw_response: (),
            message_id: None,
        })
    }

    async fn stream(
        &self,
        _request: CompletionRequest,
    ) -> Result<StreamingCompletionResponse<()>, CompletionError> {
        Err(CompletionError::ProviderError("nothing here streams".into()))
    }
}
