//! The items among the fields of a start or an end.

use std::borrow::Cow;

use ragtrace_core::StageDescriptor;
use ragtrace_core::value::encoding::{EncodedFields, EncodedValue, field_id};

use crate::record::{RecordItem, field_name};

/// Splits encoded fields into the items and the other fields.
pub(super) fn take_items(stage: &'static StageDescriptor, fields: &[u64]) -> (Vec<RecordItem>, Vec<u64>) {
    let (mut items, mut others): (Vec<RecordItem>, _) = (Vec::new(), Vec::with_capacity(fields.len()));
    for field in EncodedFields(fields) {
        let text = match field.value {
            EncodedValue::Text(text) => text.as_str(),
            _ => Cow::Borrowed(""),
        };
        if field.is_item() {
            let item_type = field_name(stage, field.name).unwrap_or("item");
            items.push(RecordItem::new(item_type, text));
        } else if !field.is_of_item() {
            others.extend_from_slice(field.words);
        } else if let Some(item) = items.pop() {
            items.push(match field.name {
                field_id::ITEM_SCORE => item.with_score(field.value.as_f64().unwrap_or(0.0)),
                field_id::ITEM_CONTENT => item.with_content(text),
                field_id::ITEM_SOURCE => item.with_source(text),
                _ => item.with_derived_from(text),
            });
        }
    }
    (items, others)
}
