//! Dispatch from the assembler to the deliveries: records are sanitized and sampled, and every
//! delivery gets its copy. Reports of the pipeline on itself take the same path.

use std::sync::Arc;
use std::time::Instant;

use super::state::Worker;
use crate::metrics::StageMinute;
use crate::pipeline::delivery::{DeliveryInput, SinkDelivery};
use crate::pipeline::intake::Assembled;
use crate::pipeline::report::{Dropped, SelfReport, add_record};
use crate::pipeline::sampling::{DecidedTraces, KeptTrace, Sampled, WriteAhead};
use crate::record::{ChunkBuilder, Record};
use crate::spool::{KeptBatch, SpoolEvent};

impl Worker {
    /// Sanitizes and samples the assembled records, and gives them to the deliveries with the
    /// metrics in `minutes`.
    pub(super) fn dispatch_assembled(&mut self, mut minutes: Vec<StageMinute>) {
        let Assembled { mut records, mut requests } =
            self.assembler.take_output(|name, text| self.sanitizer.is_clean(name, text));
        if records.is_empty() && requests.is_empty() && minutes.is_empty() {
            return;
        }
        self.dispatching = records.len();
        self.sanitizer.sanitize(&mut records);
        for request in &mut requests {
            self.sanitizer.sanitize_request(request);
        }
        for minute in &mut minutes {
            self.sanitizer.sanitize_minute(minute);
        }
        let now = Instant::now();
        let Sampled { records, kept } = self.sampler.sample(records.finish(), now);
        self.dispatching = 0;
        self.accept(DeliveryInput { records, requests, minutes }, now);
        self.update_write_ahead(&kept, now);
    }

    /// Tells the disk the decisions about traces that it holds, and writes held records if that is
    /// due. The held records of kept traces go to the deliveries.
    pub(super) fn update_write_ahead(&mut self, kept: &[KeptTrace], now: Instant) {
        let Some(write_ahead) = &mut self.write_ahead else { return };
        if let Some(decided) = WriteAhead::take_decided(&mut self.sampler, kept) {
            send_decided(write_ahead, &mut self.deliveries, decided, now);
        }
        write_ahead.write_if_due(&mut self.sampler, now);
    }

    /// Gives every delivery its copy of `input`; the last one takes the original.
    fn accept(&mut self, input: DeliveryInput, now: Instant) {
        if let Some((last, others)) = self.deliveries.split_last_mut() {
            for delivery in others {
                delivery.accept(input.clone(), now);
            }
            last.accept(input, now);
        }
    }

    /// Makes records of the pipeline's reports on itself, for all sinks. There are none after a
    /// shutdown has begun, because they would follow the last records that it waits for.
    pub(super) fn dispatch_self_reports(&mut self) {
        let now = Instant::now();
        if self.shutdown.is_some() {
            self.deliveries.iter_mut().for_each(|delivery| drop(delivery.take_self_reports(now)));
            return;
        }
        let mut records = ChunkBuilder::new(Arc::clone(&self.origin));
        for delivery in &mut self.deliveries {
            for report in delivery.take_self_reports(now) {
                add_record(&mut records, self.filter, Some(&delivery.account().name), &report);
            }
        }
        if let Some(report) = self.report_refused() {
            add_record(&mut records, self.filter, None, &report);
        }
        if !records.is_empty() {
            self.sanitizer.sanitize(&mut records);
            self.accept(DeliveryInput { records: records.finish(), ..DeliveryInput::default() }, now);
        }
    }

    /// Reports the records that the full queue refused, once it refuses no more.
    fn report_refused(&mut self) -> Option<SelfReport> {
        let refused = Dropped(self.queue.dropped()).total();
        let before = std::mem::replace(&mut self.refused, refused);
        if refused != before || refused == self.refused_reported {
            return None;
        }
        let records = refused - std::mem::replace(&mut self.refused_reported, refused);
        let why = "the queue was full";
        self.refused_warning.warn(records, |records| format!("{records} records dropped: {why}"));
        Some(SelfReport::Dropped { records, why: why.to_owned() })
    }
}

/// Gives the records of decided traces to the deliveries, and makes the disk store them in place of
/// the records written ahead.
fn send_decided(write_ahead: &WriteAhead, deliveries: &mut [SinkDelivery], decided: DecidedTraces, now: Instant) {
    let DecidedTraces { traces, records } = decided;
    let batches = if records.is_empty() { Vec::new() } else { kept_batches(deliveries, &records, now) };
    let sent: Vec<_> = batches.iter().map(|kept| (kept.sink_index, kept.ticket)).collect();
    if !write_ahead.send_decided(traces, batches) {
        for (sink_index, ticket) in sent {
            let event = SpoolEvent::Stored { sink_index, ticket, key: Err("the spool is gone".to_owned()) };
            if let Some(delivery) = deliveries.get_mut(sink_index) {
                delivery.handle_spool_event(event, now);
            }
        }
    }
}

fn kept_batches(deliveries: &mut [SinkDelivery], records: &[Record], now: Instant) -> Vec<KeptBatch> {
    let mut batches = Vec::new();
    for delivery in deliveries {
        let accepted = delivery.accept_written_ahead(records, now);
        if let Some(sink_index) = delivery.spool_index() {
            let kept = accepted.into_iter().map(|(ticket, batch)| KeptBatch { sink_index, ticket, batch });
            batches.extend(kept);
        }
    }
    batches
}
