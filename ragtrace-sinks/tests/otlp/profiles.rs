//! The attributes of each profile, over a trace with everything in it.

use expect_test::{Expect, expect};
use ragtrace_sinks::{OtlpProfile, OtlpSink};

use crate::fixture::trace;
use crate::receiver::{sent, shown_spans, spans};

fn check(profile: OtlpProfile, expected: &Expect) {
    let sink = |url: &str| OtlpSink::new(url).profile(profile).tag("beta").tag("eu");
    let spans = spans(&sent(sink, trace()));
    for span in &spans {
        let mut keys: Vec<_> = span.attributes.iter().map(|attribute| &attribute.key).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), span.attributes.len(), "no key comes twice in {}", span.name);
    }
    expected.assert_eq(&shown_spans(&spans));
}

#[test]
fn a_collector_gets_the_names_of_opentelemetry() {
    check(
        OtlpProfile::Collector,
        &expect![[r#"
        embed_query CLIENT 5..25 ms OK
          gen_ai.operation.name = `embeddings`
          gen_ai.conversation.id = `session-1`
          session.id = `session-1`
          user.id = `alice`
          gen_ai.provider.name = `openai`
          gen_ai.request.model = `text-embedding-3-small`
          gen_ai.embeddings.dimension.count = 1536
          gen_ai.usage.input_tokens = 6
          ragtrace.cost_usd = 1.2e-7
          ragtrace.input = `why is the sky blue?`
          ragtrace.kind = `embed`
          ragtrace.outcome = `completed`
          ragtrace.count = 1
          ragtrace.request_id = `req-1`
          ragtrace.tenant_id = `acme`
          ragtrace.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 12
          thread.name = `worker-1`
        search INTERNAL 30..90 ms OK
          gen_ai.operation.name = `retrieval`
          gen_ai.conversation.id = `session-1`
          session.id = `session-1`
          user.id = `alice`
          gen_ai.retrieval.query.text = `why is the sky blue?`
          gen_ai.retrieval.top_k = 2
          gen_ai.retrieval.documents = `[{"id":"c-1","score":0.91,"content":"Light is scattered.","type":"chunk","source":"optics.pdf","derived_from":"d-1"},{"id":"c-2","score":0.5,"type":"chunk"}]`
          ragtrace.kind = `retrieve`
          ragtrace.outcome = `completed`
          ragtrace.count = 2
          ragtrace.request_id = `req-1`
          ragtrace.tenant_id = `acme`
          ragtrace.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 13
          thread.name = `worker-1`
          index = `chunks-v2`
        rerank INTERNAL 90..120 ms OK
          gen_ai.conversation.id = `session-1`
          session.id = `session-1`
          user.id = `alice`
          gen_ai.request.model = `rerank-2`
          ragtrace.used = `[{"id":"c-1","score":0.91,"type":"chunk"},{"id":"c-2","score":0.5,"type":"chunk"}]`
          ragtrace.generated = `[{"id":"c-1","score":0.99,"content":"Light is scattered.","type":"chunk"}]`
          ragtrace.query = `why is the sky blue?`
          ragtrace.top_k = 1
          ragtrace.kind = `rerank`
          ragtrace.outcome = `completed`
          ragtrace.request_id = `req-1`
          ragtrace.tenant_id = `acme`
          ragtrace.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 14
          thread.name = `worker-1`
        weather INTERNAL 120..150 ms OK
          gen_ai.operation.name = `execute_tool`
          gen_ai.conversation.id = `session-1`
          session.id = `session-1`
          user.id = `alice`
          gen_ai.tool.name = `weather`
          gen_ai.tool.call.arguments = `{"city":"Paris"}`
          gen_ai.tool.call.result = `{"sky":"blue"}`
          ragtrace.kind = `tool`
          ragtrace.outcome = `completed`
          ragtrace.request_id = `req-1`
          ragtrace.tenant_id = `acme`
          ragtrace.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 15
          thread.name = `worker-1`
        generate CLIENT 150..900 ms OK
          gen_ai.operation.name = `chat`
          gen_ai.conversation.id = `session-1`
          session.id = `session-1`
          user.id = `alice`
          gen_ai.provider.name = `openai`
          gen_ai.request.model = `gpt-4o`
          gen_ai.usage.input_tokens = 1200
          gen_ai.usage.output_tokens = 300
          gen_ai.usage.cache_read.input_tokens = 1000
          gen_ai.usage.cache_creation.input_tokens = 100
          gen_ai.usage.reasoning.output_tokens = 200
          ragtrace.cost_usd = 0.012
          gen_ai.prompt.name = `answer`
          ragtrace.prompt.version = `7`
          gen_ai.response.time_to_first_chunk = 0.25
          gen_ai.input.messages = `[{"role":"system","parts":[{"type":"text","content":"Be brief."}]},{"role":"user","parts":[{"type":"text","content":"why is the sky blue?"}]},{"role":"assistant","parts":[{"type":"tool_call","id":"call_1","name":"weather","arguments":{"city":"Paris"}}]},{"role":"tool","parts":[{"type":"tool_call_response","id":"call_1","response":"blue"}]}]`
          gen_ai.output.messages = `[{"role":"assistant","parts":[{"type":"text","content":"Because light is scattered."}],"finish_reason":"stop"}]`
          ragtrace.kind = `generate`
          ragtrace.outcome = `completed`
          ragtrace.count = 42
          ragtrace.first_item_ms = 250.0
          ragtrace.request_id = `req-1`
          ragtrace.tenant_id = `acme`
          ragtrace.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 16
          thread.name = `worker-1`
          temperature = 0.2
          event first_item at 400 ms
        store_answer INTERNAL 900..950 ms ERROR cannot write the answer
          gen_ai.conversation.id = `session-1`
          session.id = `session-1`
          user.id = `alice`
          ragtrace.kind = `store`
          ragtrace.outcome = `failed`
          ragtrace.request_id = `req-1`
          ragtrace.tenant_id = `acme`
          ragtrace.request_type = `ask`
          error.type = `StoreError`
          code.file.path = `src/ask.rs`
          code.line.number = 17
          thread.name = `worker-1`
          attempts = 3
          event exception at 950 ms
            exception.type = `StoreError`
            exception.message = `cannot write the answer`
            exception.stacktrace = "StoreError: cannot write the answer\nCaused by: connection reset\nCaused by: broken pipe"
        log_feedback INTERNAL 950..960 ms
          gen_ai.conversation.id = `session-1`
          session.id = `session-1`
          user.id = `alice`
          ragtrace.kind = `task`
          ragtrace.outcome = `cancelled`
          ragtrace.request_id = `req-1`
          ragtrace.tenant_id = `acme`
          ragtrace.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 18
          thread.name = `worker-1`
        ask INTERNAL 0..1000 ms OK
          gen_ai.conversation.id = `session-1`
          session.id = `session-1`
          user.id = `alice`
          ragtrace.input = `why is the sky blue?`
          ragtrace.output = `Because light is scattered.`
          ragtrace.kind = `pipeline`
          ragtrace.outcome = `completed`
          ragtrace.busy_ms = 3.5
          ragtrace.request_id = `req-1`
          ragtrace.tenant_id = `acme`
          ragtrace.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 11
          thread.name = `worker-1`
          filters = `{"lang":["en"]}`
          is_cached = false
    "#]],
    );
}

#[test]
fn phoenix_gets_the_names_of_openinference() {
    check(
        OtlpProfile::Phoenix,
        &expect![[r#"
        embed_query CLIENT 5..25 ms OK
          openinference.span.kind = `EMBEDDING`
          session.id = `session-1`
          user.id = `alice`
          input.value = `why is the sky blue?`
          input.mime_type = `text/plain`
          embedding.model_name = `text-embedding-3-small`
          llm.provider = `openai`
          llm.token_count.prompt = 6
          llm.token_count.total = 6
          llm.cost.total = 1.2e-7
          ragtrace.dimensions = 1536
          embedding.embeddings.0.embedding.text = `why is the sky blue?`
          metadata = `{"tenant_id":"acme","request_id":"req-1","request_type":"ask"}`
          tag.tags = [`beta`, `eu`]
          ragtrace.kind = `embed`
          ragtrace.outcome = `completed`
          ragtrace.count = 1
          ragtrace.request_id = `req-1`
          ragtrace.tenant_id = `acme`
          ragtrace.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 12
          thread.name = `worker-1`
        search INTERNAL 30..90 ms OK
          openinference.span.kind = `RETRIEVER`
          session.id = `session-1`
          user.id = `alice`
          input.value = `why is the sky blue?`
          input.mime_type = `text/plain`
          ragtrace.top_k = 2
          retrieval.documents.0.document.id = `c-1`
          retrieval.documents.0.document.score = 0.91
          retrieval.documents.0.document.content = `Light is scattered.`
          retrieval.documents.0.document.metadata = `{"type":"chunk","source":"optics.pdf","derived_from":"d-1"}`
          retrieval.documents.1.document.id = `c-2`
          retrieval.documents.1.document.score = 0.5
          retrieval.documents.1.document.metadata = `{"type":"chunk"}`
          metadata = `{"tenant_id":"acme","request_id":"req-1","request_type":"ask"}`
          tag.tags = [`beta`, `eu`]
          ragtrace.kind = `retrieve`
          ragtrace.outcome = `completed`
          ragtrace.count = 2
          ragtrace.request_id = `req-1`
          ragtrace.tenant_id = `acme`
          ragtrace.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 13
          thread.name = `worker-1`
          index = `chunks-v2`
        rerank INTERNAL 90..120 ms OK
          openinference.span.kind = `RERANKER`
          session.id = `session-1`
          user.id = `alice`
          input.value = `why is the sky blue?`
          input.mime_type = `text/plain`
          reranker.model_name = `rerank-2`
          reranker.query = `why is the sky blue?`
          reranker.top_k = 1
          reranker.input_documents.0.document.id = `c-1`
          reranker.input_documents.0.document.score = 0.91
          reranker.input_documents.0.document.metadata = `{"type":"chunk"}`
          reranker.input_documents.1.document.id = `c-2`
          reranker.input_documents.1.document.score = 0.5
          reranker.input_documents.1.document.metadata = `{"type":"chunk"}`
          reranker.output_documents.0.document.id = `c-1`
          reranker.output_documents.0.document.score = 0.99
          reranker.output_documents.0.document.content = `Light is scattered.`
          reranker.output_documents.0.document.metadata = `{"type":"chunk"}`
          metadata = `{"tenant_id":"acme","request_id":"req-1","request_type":"ask"}`
          tag.tags = [`beta`, `eu`]
          ragtrace.kind = `rerank`
          ragtrace.outcome = `completed`
          ragtrace.request_id = `req-1`
          ragtrace.tenant_id = `acme`
          ragtrace.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 14
          thread.name = `worker-1`
        weather INTERNAL 120..150 ms OK
          openinference.span.kind = `TOOL`
          session.id = `session-1`
          user.id = `alice`
          input.value = `{"city":"Paris"}`
          input.mime_type = `application/json`
          tool.name = `weather`
          tool.parameters = `{"city":"Paris"}`
          metadata = `{"tenant_id":"acme","request_id":"req-1","request_type":"ask"}`
          tag.tags = [`beta`, `eu`]
          ragtrace.kind = `tool`
          ragtrace.outcome = `completed`
          ragtrace.request_id = `req-1`
          ragtrace.tenant_id = `acme`
          ragtrace.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 15
          thread.name = `worker-1`
          output.value = `{"sky":"blue"}`
          output.mime_type = `application/json`
        generate CLIENT 150..900 ms OK
          openinference.span.kind = `LLM`
          session.id = `session-1`
          user.id = `alice`
          input.value = `[{"role":"system","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"why is the sky blue?"}]},{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Paris\"}"}}]},{"role":"tool","tool_call_id":"call_1","content":"blue"}]`
          input.mime_type = `application/json`
          llm.model_name = `gpt-4o`
          llm.provider = `openai`
          llm.token_count.prompt = 1200
          llm.token_count.completion = 300
          llm.token_count.total = 1500
          llm.token_count.prompt_details.cache_read = 1000
          llm.token_count.prompt_details.cache_write = 100
          llm.token_count.completion_details.reasoning = 200
          llm.cost.total = 0.012
          llm.prompt_template.version = `7`
          llm.input_messages.0.message.role = `system`
          llm.input_messages.0.message.content = `Be brief.`
          llm.input_messages.1.message.role = `user`
          llm.input_messages.1.message.content = `why is the sky blue?`
          llm.input_messages.2.message.role = `assistant`
          llm.input_messages.2.message.tool_calls.0.tool_call.id = `call_1`
          llm.input_messages.2.message.tool_calls.0.tool_call.function.name = `weather`
          llm.input_messages.2.message.tool_calls.0.tool_call.function.arguments = `{"city":"Paris"}`
          llm.input_messages.3.message.role = `tool`
          llm.input_messages.3.message.content = `blue`
          llm.input_messages.3.message.tool_call_id = `call_1`
          llm.output_messages.0.message.role = `assistant`
          llm.output_messages.0.message.content = `Because light is scattered.`
          metadata = `{"tenant_id":"acme","request_id":"req-1","request_type":"ask","prompt_name":"answer"}`
          tag.tags = [`beta`, `eu`]
          ragtrace.kind = `generate`
          ragtrace.outcome = `completed`
          ragtrace.count = 42
          ragtrace.first_item_ms = 250.0
          ragtrace.request_id = `req-1`
          ragtrace.tenant_id = `acme`
          ragtrace.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 16
          thread.name = `worker-1`
          output.value = `{"role":"assistant","content":"Because light is scattered."}`
          output.mime_type = `application/json`
          temperature = 0.2
          event first_item at 400 ms
        store_answer INTERNAL 900..950 ms ERROR cannot write the answer
          openinference.span.kind = `CHAIN`
          session.id = `session-1`
          user.id = `alice`
          metadata = `{"tenant_id":"acme","request_id":"req-1","request_type":"ask"}`
          tag.tags = [`beta`, `eu`]
          ragtrace.kind = `store`
          ragtrace.outcome = `failed`
          ragtrace.request_id = `req-1`
          ragtrace.tenant_id = `acme`
          ragtrace.request_type = `ask`
          error.type = `StoreError`
          code.file.path = `src/ask.rs`
          code.line.number = 17
          thread.name = `worker-1`
          attempts = 3
          event exception at 950 ms
            exception.type = `StoreError`
            exception.message = `cannot write the answer`
            exception.stacktrace = "StoreError: cannot write the answer\nCaused by: connection reset\nCaused by: broken pipe"
        log_feedback INTERNAL 950..960 ms
          openinference.span.kind = `CHAIN`
          session.id = `session-1`
          user.id = `alice`
          metadata = `{"tenant_id":"acme","request_id":"req-1","request_type":"ask"}`
          tag.tags = [`beta`, `eu`]
          ragtrace.kind = `task`
          ragtrace.outcome = `cancelled`
          ragtrace.request_id = `req-1`
          ragtrace.tenant_id = `acme`
          ragtrace.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 18
          thread.name = `worker-1`
        ask INTERNAL 0..1000 ms OK
          openinference.span.kind = `CHAIN`
          session.id = `session-1`
          user.id = `alice`
          input.value = `why is the sky blue?`
          input.mime_type = `text/plain`
          metadata = `{"tenant_id":"acme","request_id":"req-1","request_type":"ask"}`
          tag.tags = [`beta`, `eu`]
          ragtrace.kind = `pipeline`
          ragtrace.outcome = `completed`
          ragtrace.busy_ms = 3.5
          ragtrace.request_id = `req-1`
          ragtrace.tenant_id = `acme`
          ragtrace.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 11
          thread.name = `worker-1`
          output.value = `Because light is scattered.`
          output.mime_type = `text/plain`
          filters = `{"lang":["en"]}`
          is_cached = false
    "#]],
    );
}

#[test]
fn langfuse_gets_its_own_names() {
    check(
        OtlpProfile::Langfuse,
        &expect![[r#"
        embed_query CLIENT 5..25 ms OK
          langfuse.observation.type = `embedding`
          langfuse.observation.level = `DEFAULT`
          user.id = `alice`
          session.id = `session-1`
          langfuse.environment = `production`
          langfuse.release = `1.4.2`
          langfuse.observation.input = `why is the sky blue?`
          langfuse.observation.model.name = `text-embedding-3-small`
          langfuse.observation.metadata.provider = `openai`
          langfuse.observation.metadata.dimensions = 1536
          langfuse.observation.usage_details = `{"input":6,"total":6}`
          langfuse.observation.cost_details = `{"total":1.2e-7}`
          langfuse.observation.metadata.kind = `embed`
          langfuse.observation.metadata.outcome = `completed`
          langfuse.observation.metadata.count = 1
          langfuse.observation.metadata.request_id = `req-1`
          langfuse.observation.metadata.tenant_id = `acme`
          langfuse.observation.metadata.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 12
          thread.name = `worker-1`
        search INTERNAL 30..90 ms OK
          langfuse.observation.type = `retriever`
          langfuse.observation.level = `DEFAULT`
          user.id = `alice`
          session.id = `session-1`
          langfuse.environment = `production`
          langfuse.release = `1.4.2`
          langfuse.observation.input = `why is the sky blue?`
          langfuse.observation.output = `[{"id":"c-1","score":0.91,"content":"Light is scattered.","type":"chunk","source":"optics.pdf","derived_from":"d-1"},{"id":"c-2","score":0.5,"type":"chunk"}]`
          langfuse.observation.metadata.top_k = 2
          langfuse.observation.metadata.kind = `retrieve`
          langfuse.observation.metadata.outcome = `completed`
          langfuse.observation.metadata.count = 2
          langfuse.observation.metadata.request_id = `req-1`
          langfuse.observation.metadata.tenant_id = `acme`
          langfuse.observation.metadata.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 13
          thread.name = `worker-1`
          langfuse.observation.metadata.index = `chunks-v2`
        rerank INTERNAL 90..120 ms OK
          langfuse.observation.type = `retriever`
          langfuse.observation.level = `DEFAULT`
          user.id = `alice`
          session.id = `session-1`
          langfuse.environment = `production`
          langfuse.release = `1.4.2`
          langfuse.observation.input = `why is the sky blue?`
          langfuse.observation.metadata.used = `[{"id":"c-1","score":0.91,"type":"chunk"},{"id":"c-2","score":0.5,"type":"chunk"}]`
          langfuse.observation.output = `[{"id":"c-1","score":0.99,"content":"Light is scattered.","type":"chunk"}]`
          langfuse.observation.model.name = `rerank-2`
          langfuse.observation.metadata.top_k = 1
          langfuse.observation.metadata.kind = `rerank`
          langfuse.observation.metadata.outcome = `completed`
          langfuse.observation.metadata.request_id = `req-1`
          langfuse.observation.metadata.tenant_id = `acme`
          langfuse.observation.metadata.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 14
          thread.name = `worker-1`
        weather INTERNAL 120..150 ms OK
          langfuse.observation.type = `tool`
          langfuse.observation.level = `DEFAULT`
          user.id = `alice`
          session.id = `session-1`
          langfuse.environment = `production`
          langfuse.release = `1.4.2`
          langfuse.observation.input = `{"city":"Paris"}`
          langfuse.observation.output = `{"sky":"blue"}`
          langfuse.observation.metadata.kind = `tool`
          langfuse.observation.metadata.outcome = `completed`
          langfuse.observation.metadata.request_id = `req-1`
          langfuse.observation.metadata.tenant_id = `acme`
          langfuse.observation.metadata.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 15
          thread.name = `worker-1`
        generate CLIENT 150..900 ms OK
          langfuse.observation.type = `generation`
          langfuse.observation.level = `DEFAULT`
          user.id = `alice`
          session.id = `session-1`
          langfuse.environment = `production`
          langfuse.release = `1.4.2`
          langfuse.observation.input = `[{"role":"system","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"why is the sky blue?"}]},{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Paris\"}"}}]},{"role":"tool","tool_call_id":"call_1","content":"blue"}]`
          langfuse.observation.output = `{"role":"assistant","content":"Because light is scattered."}`
          langfuse.observation.model.name = `gpt-4o`
          langfuse.observation.prompt.name = `answer`
          langfuse.observation.prompt.version = 7
          langfuse.observation.metadata.provider = `openai`
          langfuse.observation.completion_start_time = `"2026-11-22T08:20:11.400000Z"`
          langfuse.observation.usage_details = `{"input":100,"input_cached_tokens":1000,"input_cache_creation":100,"output":100,"output_reasoning_tokens":200,"total":1500}`
          langfuse.observation.cost_details = `{"total":0.012}`
          langfuse.observation.metadata.kind = `generate`
          langfuse.observation.metadata.outcome = `completed`
          langfuse.observation.metadata.count = 42
          langfuse.observation.metadata.first_item_ms = 250.0
          langfuse.observation.metadata.request_id = `req-1`
          langfuse.observation.metadata.tenant_id = `acme`
          langfuse.observation.metadata.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 16
          thread.name = `worker-1`
          langfuse.observation.metadata.temperature = 0.2
          event first_item at 400 ms
        store_answer INTERNAL 900..950 ms ERROR cannot write the answer
          langfuse.observation.type = `span`
          langfuse.observation.level = `ERROR`
          langfuse.observation.status_message = `cannot write the answer`
          user.id = `alice`
          session.id = `session-1`
          langfuse.environment = `production`
          langfuse.release = `1.4.2`
          langfuse.observation.metadata.kind = `store`
          langfuse.observation.metadata.outcome = `failed`
          langfuse.observation.metadata.request_id = `req-1`
          langfuse.observation.metadata.tenant_id = `acme`
          langfuse.observation.metadata.request_type = `ask`
          error.type = `StoreError`
          code.file.path = `src/ask.rs`
          code.line.number = 17
          thread.name = `worker-1`
          langfuse.observation.metadata.attempts = 3
          event exception at 950 ms
            exception.type = `StoreError`
            exception.message = `cannot write the answer`
            exception.stacktrace = "StoreError: cannot write the answer\nCaused by: connection reset\nCaused by: broken pipe"
        log_feedback INTERNAL 950..960 ms
          langfuse.observation.type = `span`
          langfuse.observation.level = `WARNING`
          user.id = `alice`
          session.id = `session-1`
          langfuse.environment = `production`
          langfuse.release = `1.4.2`
          langfuse.observation.metadata.kind = `task`
          langfuse.observation.metadata.outcome = `cancelled`
          langfuse.observation.metadata.request_id = `req-1`
          langfuse.observation.metadata.tenant_id = `acme`
          langfuse.observation.metadata.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 18
          thread.name = `worker-1`
        ask INTERNAL 0..1000 ms OK
          langfuse.observation.type = `chain`
          langfuse.observation.level = `DEFAULT`
          user.id = `alice`
          session.id = `session-1`
          langfuse.environment = `production`
          langfuse.release = `1.4.2`
          langfuse.trace.name = `ask`
          langfuse.trace.tags = [`beta`, `eu`]
          langfuse.trace.metadata.tenant_id = `acme`
          langfuse.trace.metadata.request_id = `req-1`
          langfuse.trace.metadata.request_type = `ask`
          langfuse.observation.input = `why is the sky blue?`
          langfuse.observation.output = `Because light is scattered.`
          langfuse.observation.metadata.kind = `pipeline`
          langfuse.observation.metadata.outcome = `completed`
          langfuse.observation.metadata.busy_ms = 3.5
          langfuse.observation.metadata.request_id = `req-1`
          langfuse.observation.metadata.tenant_id = `acme`
          langfuse.observation.metadata.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 11
          thread.name = `worker-1`
          langfuse.observation.metadata.filters = `{"lang":["en"]}`
          langfuse.observation.metadata.is_cached = false
    "#]],
    );
}

#[test]
fn langsmith_gets_the_names_that_it_documents() {
    check(
        OtlpProfile::LangSmith,
        &expect![[r#"
        embed_query CLIENT 5..25 ms OK
          langsmith.span.kind = `embedding`
          langsmith.span.tags = `beta, eu`
          gen_ai.system = `openai`
          gen_ai.request.model = `text-embedding-3-small`
          input.value = `why is the sky blue?`
          gen_ai.usage.input_tokens = 6
          langsmith.usage_metadata = `{"input_tokens":6,"total_tokens":6,"total_cost":1.2e-7}`
          langsmith.metadata.session_id = `session-1`
          langsmith.metadata.user_id = `alice`
          langsmith.metadata.dimensions = 1536
          langsmith.metadata.kind = `embed`
          langsmith.metadata.outcome = `completed`
          langsmith.metadata.count = 1
          langsmith.metadata.request_id = `req-1`
          langsmith.metadata.tenant_id = `acme`
          langsmith.metadata.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 12
          thread.name = `worker-1`
        search INTERNAL 30..90 ms OK
          langsmith.span.kind = `retriever`
          langsmith.span.tags = `beta, eu`
          input.value = `why is the sky blue?`
          output.value = `{"documents":[{"page_content":"Light is scattered.","type":"Document","id":"c-1","metadata":{"id":"c-1","score":0.91,"type":"chunk","source":"optics.pdf","derived_from":"d-1"}},{"page_content":"","type":"Document","id":"c-2","metadata":{"id":"c-2","score":0.5,"type":"chunk"}}]}`
          langsmith.metadata.session_id = `session-1`
          langsmith.metadata.user_id = `alice`
          langsmith.metadata.top_k = 2
          langsmith.metadata.kind = `retrieve`
          langsmith.metadata.outcome = `completed`
          langsmith.metadata.count = 2
          langsmith.metadata.request_id = `req-1`
          langsmith.metadata.tenant_id = `acme`
          langsmith.metadata.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 13
          thread.name = `worker-1`
          langsmith.metadata.index = `chunks-v2`
        rerank INTERNAL 90..120 ms OK
          langsmith.span.kind = `retriever`
          langsmith.span.tags = `beta, eu`
          gen_ai.request.model = `rerank-2`
          input.value = `why is the sky blue?`
          langsmith.metadata.session_id = `session-1`
          langsmith.metadata.user_id = `alice`
          langsmith.metadata.top_k = 1
          langsmith.metadata.used = `[{"id":"c-1","score":0.91,"type":"chunk"},{"id":"c-2","score":0.5,"type":"chunk"}]`
          langsmith.metadata.generated = `[{"id":"c-1","score":0.99,"content":"Light is scattered.","type":"chunk"}]`
          langsmith.metadata.kind = `rerank`
          langsmith.metadata.outcome = `completed`
          langsmith.metadata.request_id = `req-1`
          langsmith.metadata.tenant_id = `acme`
          langsmith.metadata.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 14
          thread.name = `worker-1`
        weather INTERNAL 120..150 ms OK
          langsmith.span.kind = `tool`
          langsmith.span.tags = `beta, eu`
          input.value = `{"city":"Paris"}`
          output.value = `{"sky":"blue"}`
          langsmith.metadata.session_id = `session-1`
          langsmith.metadata.user_id = `alice`
          langsmith.metadata.kind = `tool`
          langsmith.metadata.outcome = `completed`
          langsmith.metadata.request_id = `req-1`
          langsmith.metadata.tenant_id = `acme`
          langsmith.metadata.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 15
          thread.name = `worker-1`
        generate CLIENT 150..900 ms OK
          langsmith.span.kind = `llm`
          langsmith.span.tags = `beta, eu`
          gen_ai.system = `openai`
          gen_ai.request.model = `gpt-4o`
          gen_ai.prompt.0.role = `system`
          gen_ai.prompt.0.content = `Be brief.`
          gen_ai.prompt.1.role = `user`
          gen_ai.prompt.1.content = `why is the sky blue?`
          gen_ai.prompt.2.role = `assistant`
          gen_ai.prompt.2.content = ``
          gen_ai.prompt.2.tool_calls.0.id = `call_1`
          gen_ai.prompt.2.tool_calls.0.name = `weather`
          gen_ai.prompt.2.tool_calls.0.arguments = `{"city":"Paris"}`
          gen_ai.prompt.3.role = `tool`
          gen_ai.prompt.3.content = `blue`
          gen_ai.prompt.3.tool_call_id = `call_1`
          gen_ai.completion.0.role = `assistant`
          gen_ai.completion.0.content = `Because light is scattered.`
          gen_ai.usage.input_tokens = 1200
          gen_ai.usage.output_tokens = 300
          gen_ai.usage.cache_read.input_tokens = 1000
          gen_ai.usage.cache_creation.input_tokens = 100
          gen_ai.usage.reasoning.output_tokens = 200
          langsmith.usage_metadata = `{"input_tokens":1200,"output_tokens":300,"total_tokens":1500,"input_token_details":{"cache_read":1000,"cache_creation":100},"output_token_details":{"reasoning":200},"total_cost":0.012}`
          langsmith.metadata.session_id = `session-1`
          langsmith.metadata.user_id = `alice`
          langsmith.metadata.prompt_name = `answer`
          langsmith.metadata.prompt_version = `7`
          langsmith.metadata.kind = `generate`
          langsmith.metadata.outcome = `completed`
          langsmith.metadata.count = 42
          langsmith.metadata.first_item_ms = 250.0
          langsmith.metadata.request_id = `req-1`
          langsmith.metadata.tenant_id = `acme`
          langsmith.metadata.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 16
          thread.name = `worker-1`
          langsmith.metadata.temperature = 0.2
          event first_item at 400 ms
        store_answer INTERNAL 900..950 ms ERROR cannot write the answer
          langsmith.span.kind = `chain`
          langsmith.span.tags = `beta, eu`
          langsmith.metadata.session_id = `session-1`
          langsmith.metadata.user_id = `alice`
          langsmith.metadata.kind = `store`
          langsmith.metadata.outcome = `failed`
          langsmith.metadata.request_id = `req-1`
          langsmith.metadata.tenant_id = `acme`
          langsmith.metadata.request_type = `ask`
          error.type = `StoreError`
          code.file.path = `src/ask.rs`
          code.line.number = 17
          thread.name = `worker-1`
          langsmith.metadata.attempts = 3
          event exception at 950 ms
            exception.type = `StoreError`
            exception.message = `cannot write the answer`
            exception.stacktrace = "StoreError: cannot write the answer\nCaused by: connection reset\nCaused by: broken pipe"
        log_feedback INTERNAL 950..960 ms
          langsmith.span.kind = `chain`
          langsmith.span.tags = `beta, eu`
          langsmith.metadata.session_id = `session-1`
          langsmith.metadata.user_id = `alice`
          langsmith.metadata.kind = `task`
          langsmith.metadata.outcome = `cancelled`
          langsmith.metadata.request_id = `req-1`
          langsmith.metadata.tenant_id = `acme`
          langsmith.metadata.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 18
          thread.name = `worker-1`
        ask INTERNAL 0..1000 ms OK
          langsmith.span.kind = `chain`
          langsmith.span.tags = `beta, eu`
          input.value = `why is the sky blue?`
          output.value = `Because light is scattered.`
          langsmith.metadata.session_id = `session-1`
          langsmith.metadata.user_id = `alice`
          langsmith.metadata.kind = `pipeline`
          langsmith.metadata.outcome = `completed`
          langsmith.metadata.busy_ms = 3.5
          langsmith.metadata.request_id = `req-1`
          langsmith.metadata.tenant_id = `acme`
          langsmith.metadata.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 11
          thread.name = `worker-1`
          langsmith.metadata.filters = `{"lang":["en"]}`
          langsmith.metadata.is_cached = false
    "#]],
    );
}

#[test]
fn mlflow_gets_openinference_with_documents_as_output_and_a_cost_of_its_own() {
    check(
        OtlpProfile::Mlflow,
        &expect![[r#"
        embed_query CLIENT 5..25 ms OK
          openinference.span.kind = `EMBEDDING`
          session.id = `session-1`
          user.id = `alice`
          input.value = `why is the sky blue?`
          input.mime_type = `text/plain`
          embedding.model_name = `text-embedding-3-small`
          llm.provider = `openai`
          llm.token_count.prompt = 6
          llm.token_count.total = 6
          llm.cost.total = 1.2e-7
          ragtrace.dimensions = 1536
          embedding.embeddings.0.embedding.text = `why is the sky blue?`
          metadata = `{"tenant_id":"acme","request_id":"req-1","request_type":"ask"}`
          tag.tags = [`beta`, `eu`]
          ragtrace.kind = `embed`
          ragtrace.outcome = `completed`
          ragtrace.count = 1
          ragtrace.request_id = `req-1`
          ragtrace.tenant_id = `acme`
          ragtrace.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 12
          thread.name = `worker-1`
          mlflow.llm.cost = `{"total_cost":1.2e-7}`
        search INTERNAL 30..90 ms OK
          openinference.span.kind = `RETRIEVER`
          session.id = `session-1`
          user.id = `alice`
          input.value = `why is the sky blue?`
          input.mime_type = `text/plain`
          ragtrace.top_k = 2
          retrieval.documents.0.document.id = `c-1`
          retrieval.documents.0.document.score = 0.91
          retrieval.documents.0.document.content = `Light is scattered.`
          retrieval.documents.0.document.metadata = `{"type":"chunk","source":"optics.pdf","derived_from":"d-1"}`
          retrieval.documents.1.document.id = `c-2`
          retrieval.documents.1.document.score = 0.5
          retrieval.documents.1.document.metadata = `{"type":"chunk"}`
          metadata = `{"tenant_id":"acme","request_id":"req-1","request_type":"ask"}`
          tag.tags = [`beta`, `eu`]
          ragtrace.kind = `retrieve`
          ragtrace.outcome = `completed`
          ragtrace.count = 2
          ragtrace.request_id = `req-1`
          ragtrace.tenant_id = `acme`
          ragtrace.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 13
          thread.name = `worker-1`
          output.value = `[{"page_content":"Light is scattered.","type":"Document","id":"c-1","metadata":{"id":"c-1","score":0.91,"type":"chunk","source":"optics.pdf","derived_from":"d-1"}},{"page_content":"","type":"Document","id":"c-2","metadata":{"id":"c-2","score":0.5,"type":"chunk"}}]`
          output.mime_type = `application/json`
          index = `chunks-v2`
        rerank INTERNAL 90..120 ms OK
          openinference.span.kind = `RERANKER`
          session.id = `session-1`
          user.id = `alice`
          input.value = `why is the sky blue?`
          input.mime_type = `text/plain`
          reranker.model_name = `rerank-2`
          reranker.query = `why is the sky blue?`
          reranker.top_k = 1
          reranker.input_documents.0.document.id = `c-1`
          reranker.input_documents.0.document.score = 0.91
          reranker.input_documents.0.document.metadata = `{"type":"chunk"}`
          reranker.input_documents.1.document.id = `c-2`
          reranker.input_documents.1.document.score = 0.5
          reranker.input_documents.1.document.metadata = `{"type":"chunk"}`
          reranker.output_documents.0.document.id = `c-1`
          reranker.output_documents.0.document.score = 0.99
          reranker.output_documents.0.document.content = `Light is scattered.`
          reranker.output_documents.0.document.metadata = `{"type":"chunk"}`
          metadata = `{"tenant_id":"acme","request_id":"req-1","request_type":"ask"}`
          tag.tags = [`beta`, `eu`]
          ragtrace.kind = `rerank`
          ragtrace.outcome = `completed`
          ragtrace.request_id = `req-1`
          ragtrace.tenant_id = `acme`
          ragtrace.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 14
          thread.name = `worker-1`
        weather INTERNAL 120..150 ms OK
          openinference.span.kind = `TOOL`
          session.id = `session-1`
          user.id = `alice`
          input.value = `{"city":"Paris"}`
          input.mime_type = `application/json`
          tool.name = `weather`
          tool.parameters = `{"city":"Paris"}`
          metadata = `{"tenant_id":"acme","request_id":"req-1","request_type":"ask"}`
          tag.tags = [`beta`, `eu`]
          ragtrace.kind = `tool`
          ragtrace.outcome = `completed`
          ragtrace.request_id = `req-1`
          ragtrace.tenant_id = `acme`
          ragtrace.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 15
          thread.name = `worker-1`
          output.value = `{"sky":"blue"}`
          output.mime_type = `application/json`
        generate CLIENT 150..900 ms OK
          openinference.span.kind = `LLM`
          session.id = `session-1`
          user.id = `alice`
          input.value = `[{"role":"system","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"why is the sky blue?"}]},{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Paris\"}"}}]},{"role":"tool","tool_call_id":"call_1","content":"blue"}]`
          input.mime_type = `application/json`
          llm.model_name = `gpt-4o`
          llm.provider = `openai`
          llm.token_count.prompt = 1200
          llm.token_count.completion = 300
          llm.token_count.total = 1500
          llm.token_count.prompt_details.cache_read = 1000
          llm.token_count.prompt_details.cache_write = 100
          llm.token_count.completion_details.reasoning = 200
          llm.cost.total = 0.012
          llm.prompt_template.version = `7`
          llm.input_messages.0.message.role = `system`
          llm.input_messages.0.message.content = `Be brief.`
          llm.input_messages.1.message.role = `user`
          llm.input_messages.1.message.content = `why is the sky blue?`
          llm.input_messages.2.message.role = `assistant`
          llm.input_messages.2.message.tool_calls.0.tool_call.id = `call_1`
          llm.input_messages.2.message.tool_calls.0.tool_call.function.name = `weather`
          llm.input_messages.2.message.tool_calls.0.tool_call.function.arguments = `{"city":"Paris"}`
          llm.input_messages.3.message.role = `tool`
          llm.input_messages.3.message.content = `blue`
          llm.input_messages.3.message.tool_call_id = `call_1`
          llm.output_messages.0.message.role = `assistant`
          llm.output_messages.0.message.content = `Because light is scattered.`
          metadata = `{"tenant_id":"acme","request_id":"req-1","request_type":"ask","prompt_name":"answer"}`
          tag.tags = [`beta`, `eu`]
          ragtrace.kind = `generate`
          ragtrace.outcome = `completed`
          ragtrace.count = 42
          ragtrace.first_item_ms = 250.0
          ragtrace.request_id = `req-1`
          ragtrace.tenant_id = `acme`
          ragtrace.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 16
          thread.name = `worker-1`
          output.value = `{"role":"assistant","content":"Because light is scattered."}`
          output.mime_type = `application/json`
          mlflow.llm.cost = `{"total_cost":0.012}`
          temperature = 0.2
          event first_item at 400 ms
        store_answer INTERNAL 900..950 ms ERROR cannot write the answer
          openinference.span.kind = `CHAIN`
          session.id = `session-1`
          user.id = `alice`
          metadata = `{"tenant_id":"acme","request_id":"req-1","request_type":"ask"}`
          tag.tags = [`beta`, `eu`]
          ragtrace.kind = `store`
          ragtrace.outcome = `failed`
          ragtrace.request_id = `req-1`
          ragtrace.tenant_id = `acme`
          ragtrace.request_type = `ask`
          error.type = `StoreError`
          code.file.path = `src/ask.rs`
          code.line.number = 17
          thread.name = `worker-1`
          attempts = 3
          event exception at 950 ms
            exception.type = `StoreError`
            exception.message = `cannot write the answer`
            exception.stacktrace = "StoreError: cannot write the answer\nCaused by: connection reset\nCaused by: broken pipe"
        log_feedback INTERNAL 950..960 ms
          openinference.span.kind = `CHAIN`
          session.id = `session-1`
          user.id = `alice`
          metadata = `{"tenant_id":"acme","request_id":"req-1","request_type":"ask"}`
          tag.tags = [`beta`, `eu`]
          ragtrace.kind = `task`
          ragtrace.outcome = `cancelled`
          ragtrace.request_id = `req-1`
          ragtrace.tenant_id = `acme`
          ragtrace.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 18
          thread.name = `worker-1`
        ask INTERNAL 0..1000 ms OK
          openinference.span.kind = `CHAIN`
          session.id = `session-1`
          user.id = `alice`
          input.value = `why is the sky blue?`
          input.mime_type = `text/plain`
          metadata = `{"tenant_id":"acme","request_id":"req-1","request_type":"ask"}`
          tag.tags = [`beta`, `eu`]
          ragtrace.kind = `pipeline`
          ragtrace.outcome = `completed`
          ragtrace.busy_ms = 3.5
          ragtrace.request_id = `req-1`
          ragtrace.tenant_id = `acme`
          ragtrace.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 11
          thread.name = `worker-1`
          output.value = `Because light is scattered.`
          output.mime_type = `text/plain`
          filters = `{"lang":["en"]}`
          is_cached = false
    "#]],
    );
}

#[test]
fn datadog_gets_one_dialect_a_span_by_its_kind() {
    check(
        OtlpProfile::Datadog,
        &expect![[r#"
        embed_query CLIENT 5..25 ms OK
          dd_llmobs_enabled = true
          gen_ai.operation.name = `embeddings`
          gen_ai.conversation.id = `session-1`
          session.id = `session-1`
          user.id = `alice`
          gen_ai.provider.name = `openai`
          gen_ai.request.model = `text-embedding-3-small`
          gen_ai.embeddings.dimension.count = 1536
          gen_ai.usage.input_tokens = 6
          ragtrace.cost_usd = 1.2e-7
          ragtrace.input = `why is the sky blue?`
          ragtrace.kind = `embed`
          ragtrace.outcome = `completed`
          ragtrace.count = 1
          ragtrace.request_id = `req-1`
          ragtrace.tenant_id = `acme`
          ragtrace.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 12
          thread.name = `worker-1`
        search INTERNAL 30..90 ms OK
          dd_llmobs_enabled = true
          openinference.span.kind = `RETRIEVER`
          session.id = `session-1`
          user.id = `alice`
          input.value = `why is the sky blue?`
          input.mime_type = `text/plain`
          ragtrace.top_k = 2
          retrieval.documents.0.document.id = `c-1`
          retrieval.documents.0.document.score = 0.91
          retrieval.documents.0.document.content = `Light is scattered.`
          retrieval.documents.0.document.metadata = `{"type":"chunk","source":"optics.pdf","derived_from":"d-1"}`
          retrieval.documents.1.document.id = `c-2`
          retrieval.documents.1.document.score = 0.5
          retrieval.documents.1.document.metadata = `{"type":"chunk"}`
          metadata = `{"tenant_id":"acme","request_id":"req-1","request_type":"ask"}`
          tag.tags = [`beta`, `eu`]
          ragtrace.kind = `retrieve`
          ragtrace.outcome = `completed`
          ragtrace.count = 2
          ragtrace.request_id = `req-1`
          ragtrace.tenant_id = `acme`
          ragtrace.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 13
          thread.name = `worker-1`
          index = `chunks-v2`
        rerank INTERNAL 90..120 ms OK
          dd_llmobs_enabled = true
          openinference.span.kind = `RERANKER`
          session.id = `session-1`
          user.id = `alice`
          input.value = `why is the sky blue?`
          input.mime_type = `text/plain`
          reranker.model_name = `rerank-2`
          reranker.query = `why is the sky blue?`
          reranker.top_k = 1
          reranker.input_documents.0.document.id = `c-1`
          reranker.input_documents.0.document.score = 0.91
          reranker.input_documents.0.document.metadata = `{"type":"chunk"}`
          reranker.input_documents.1.document.id = `c-2`
          reranker.input_documents.1.document.score = 0.5
          reranker.input_documents.1.document.metadata = `{"type":"chunk"}`
          reranker.output_documents.0.document.id = `c-1`
          reranker.output_documents.0.document.score = 0.99
          reranker.output_documents.0.document.content = `Light is scattered.`
          reranker.output_documents.0.document.metadata = `{"type":"chunk"}`
          metadata = `{"tenant_id":"acme","request_id":"req-1","request_type":"ask"}`
          tag.tags = [`beta`, `eu`]
          ragtrace.kind = `rerank`
          ragtrace.outcome = `completed`
          ragtrace.request_id = `req-1`
          ragtrace.tenant_id = `acme`
          ragtrace.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 14
          thread.name = `worker-1`
        weather INTERNAL 120..150 ms OK
          dd_llmobs_enabled = true
          gen_ai.operation.name = `execute_tool`
          gen_ai.conversation.id = `session-1`
          session.id = `session-1`
          user.id = `alice`
          gen_ai.tool.name = `weather`
          gen_ai.tool.call.arguments = `{"city":"Paris"}`
          gen_ai.tool.call.result = `{"sky":"blue"}`
          ragtrace.kind = `tool`
          ragtrace.outcome = `completed`
          ragtrace.request_id = `req-1`
          ragtrace.tenant_id = `acme`
          ragtrace.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 15
          thread.name = `worker-1`
        generate CLIENT 150..900 ms OK
          dd_llmobs_enabled = true
          gen_ai.operation.name = `chat`
          gen_ai.conversation.id = `session-1`
          session.id = `session-1`
          user.id = `alice`
          gen_ai.provider.name = `openai`
          gen_ai.request.model = `gpt-4o`
          gen_ai.usage.input_tokens = 1200
          gen_ai.usage.output_tokens = 300
          gen_ai.usage.cache_read.input_tokens = 1000
          gen_ai.usage.cache_creation.input_tokens = 100
          gen_ai.usage.reasoning.output_tokens = 200
          ragtrace.cost_usd = 0.012
          gen_ai.prompt.name = `answer`
          ragtrace.prompt.version = `7`
          gen_ai.response.time_to_first_chunk = 0.25
          gen_ai.input.messages = `[{"role":"system","parts":[{"type":"text","content":"Be brief."}]},{"role":"user","parts":[{"type":"text","content":"why is the sky blue?"}]},{"role":"assistant","parts":[{"type":"tool_call","id":"call_1","name":"weather","arguments":{"city":"Paris"}}]},{"role":"tool","parts":[{"type":"tool_call_response","id":"call_1","response":"blue"}]}]`
          gen_ai.output.messages = `[{"role":"assistant","parts":[{"type":"text","content":"Because light is scattered."}],"finish_reason":"stop"}]`
          ragtrace.kind = `generate`
          ragtrace.outcome = `completed`
          ragtrace.count = 42
          ragtrace.first_item_ms = 250.0
          ragtrace.request_id = `req-1`
          ragtrace.tenant_id = `acme`
          ragtrace.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 16
          thread.name = `worker-1`
          temperature = 0.2
          event first_item at 400 ms
        store_answer INTERNAL 900..950 ms ERROR cannot write the answer
          dd_llmobs_enabled = true
          openinference.span.kind = `CHAIN`
          session.id = `session-1`
          user.id = `alice`
          metadata = `{"tenant_id":"acme","request_id":"req-1","request_type":"ask"}`
          tag.tags = [`beta`, `eu`]
          ragtrace.kind = `store`
          ragtrace.outcome = `failed`
          ragtrace.request_id = `req-1`
          ragtrace.tenant_id = `acme`
          ragtrace.request_type = `ask`
          error.type = `StoreError`
          code.file.path = `src/ask.rs`
          code.line.number = 17
          thread.name = `worker-1`
          attempts = 3
          event exception at 950 ms
            exception.type = `StoreError`
            exception.message = `cannot write the answer`
            exception.stacktrace = "StoreError: cannot write the answer\nCaused by: connection reset\nCaused by: broken pipe"
        log_feedback INTERNAL 950..960 ms
          dd_llmobs_enabled = true
          openinference.span.kind = `CHAIN`
          session.id = `session-1`
          user.id = `alice`
          metadata = `{"tenant_id":"acme","request_id":"req-1","request_type":"ask"}`
          tag.tags = [`beta`, `eu`]
          ragtrace.kind = `task`
          ragtrace.outcome = `cancelled`
          ragtrace.request_id = `req-1`
          ragtrace.tenant_id = `acme`
          ragtrace.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 18
          thread.name = `worker-1`
        ask INTERNAL 0..1000 ms OK
          dd_llmobs_enabled = true
          openinference.span.kind = `CHAIN`
          session.id = `session-1`
          user.id = `alice`
          input.value = `why is the sky blue?`
          input.mime_type = `text/plain`
          metadata = `{"tenant_id":"acme","request_id":"req-1","request_type":"ask"}`
          tag.tags = [`beta`, `eu`]
          ragtrace.kind = `pipeline`
          ragtrace.outcome = `completed`
          ragtrace.busy_ms = 3.5
          ragtrace.request_id = `req-1`
          ragtrace.tenant_id = `acme`
          ragtrace.request_type = `ask`
          code.file.path = `src/ask.rs`
          code.line.number = 11
          thread.name = `worker-1`
          output.value = `Because light is scattered.`
          output.mime_type = `text/plain`
          filters = `{"lang":["en"]}`
          is_cached = false
    "#]],
    );
}
