//! What a `records` step wants, with every expression evaluated.

use serde_json::Value;

use crate::dns::{Question, RecordType, canonical_name};
use crate::outcome::Reason;
use crate::runner::context::StepContext;
use crate::runner::context::Want;
use crate::runner::fault::StepFault;
use crate::scenario::document::{Record, RecordName, RecordsAction};

/// What must be true of DNS.
pub struct Wanted {
    /// The zone's name, canonical.
    pub zone: String,
    /// The zone that proves a server alive, canonical.
    pub control: String,
    /// Nothing else may be in the zone.
    pub only: bool,
    /// The serial must be newer than the noted one.
    pub serial_advanced: bool,
    items: Vec<Item>,
}

/// One record set.
pub struct Item {
    /// What is asked.
    pub question: Question,
    /// What is wanted of it.
    pub want: Want,
    /// Whether it lies in the zone, so that the Designate API can be asked too.
    pub in_zone: bool,
    /// Its answer must not be cut over UDP.
    pub whole_over_udp: bool,
}

impl Wanted {
    /// Evaluates the document's step.
    pub fn of(context: &StepContext<'_>, action: &RecordsAction) -> Result<Self, StepFault> {
        let zone = canonical_name(&context.text(&action.zone)?);
        let control = action.control.as_ref().map(|control| context.text(control)).transpose()?;
        let mut items = Vec::new();
        for record in &action.present {
            let item = present(context, record, &zone)?;
            items.extend(item.map(|item| Item { whole_over_udp: action.whole_over_udp, ..item }));
        }
        for (names, want) in [(&action.absent, Want::Absent), (&action.never, Want::Never)] {
            for name in names {
                items.extend(absent(context, name, &zone, &want)?);
            }
        }
        Ok(Self {
            control: control.map_or_else(|| zone.clone(), |control| canonical_name(&control)),
            zone,
            only: action.only,
            serial_advanced: action.serial_advanced,
            items,
        })
    }

    /// Everything that must become true.
    pub fn settling(&self) -> Vec<&Item> {
        self.items.iter().filter(|item| item.want != Want::Never).collect()
    }

    /// Everything that must be there.
    pub fn present(&self) -> Vec<&Item> {
        self.items.iter().filter(|item| matches!(item.want, Want::Present { .. })).collect()
    }

    /// Everything that must never be there.
    pub fn never(&self) -> Vec<&Item> {
        self.items.iter().filter(|item| item.want == Want::Never).collect()
    }
}

fn present(context: &StepContext<'_>, record: &Record, zone: &str) -> Result<Option<Item>, StepFault> {
    if let Some(when) = &record.when
        && !context.holds(when)?
    {
        return Ok(None);
    }
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let data = match context.value(&record.data)? {
        Value::Array(items) => items.into_iter().map(text).collect(),
        one => vec![text(one)],
    };
    let ttl = record.ttl.as_ref().map(|ttl| context.value(ttl)).transpose()?;
    let ttl = ttl.map(|ttl| whole_seconds(&ttl)).transpose()?;
    let question = question(context, &record.name, record.record_type.as_str())?;
    let want = Want::Present { data, ttl };
    Ok(Some(Item { in_zone: lies_in(&question.name, zone), question, want, whole_over_udp: false }))
}

fn absent(
    context: &StepContext<'_>,
    name: &RecordName,
    zone: &str,
    want: &Want,
) -> Result<Option<Item>, StepFault> {
    if let Some(when) = &name.when
        && !context.holds(when)?
    {
        return Ok(None);
    }
    let question = question(context, &name.name, name.record_type.as_str())?;
    let want = want.clone();
    Ok(Some(Item { in_zone: lies_in(&question.name, zone), question, want, whole_over_udp: false }))
}

fn question(
    context: &StepContext<'_>,
    name: &crate::scenario::expression::Template,
    record_type: &str,
) -> Result<Question, StepFault> {
    let name = context.text(name)?;
    let record_type = record_type.parse::<RecordType>();
    let record_type = record_type.map_err(|error| {
        StepFault::errored(Reason::ExpressionFailed, format!("record type of '{name}': {error}"))
    })?;
    Ok(Question::new(&name, record_type))
}

fn whole_seconds(ttl: &Value) -> Result<u32, StepFault> {
    let number = ttl.as_u64().or_else(|| ttl.as_str().and_then(|text| text.parse().ok()));
    number.and_then(|number| u32::try_from(number).ok()).ok_or_else(|| {
        StepFault::errored(Reason::ExpressionFailed, format!("a TTL is a whole number of seconds, not {ttl}"))
    })
}

/// Whether a name is the zone's apex or below it; both canonical.
pub fn lies_in(name: &str, zone: &str) -> bool {
    name == zone || name.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_lies_in_a_zone_by_labels_not_by_letters() {
        assert!(lies_in("a.b.example.", "b.example."));
        assert!(lies_in("b.example.", "b.example."));
        assert!(!lies_in("ab.example.", "b.example."));
        assert!(!lies_in("1.0.168.192.in-addr.arpa.", "b.example."));
    }
}
