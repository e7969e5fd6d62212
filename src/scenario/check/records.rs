//! `records` and `guest` steps.

use std::time::Duration;

use serde_json::Value;

use super::{Checker, Place};
use crate::api::scenario::{GuestSpec, NameSpec, RecordSpec, RecordsSpec};
use crate::scenario::RecordType;
use crate::scenario::document::{GuestAction, Record, RecordName, RecordsAction};
use crate::scenario::expression::{Condition, Template};
use crate::scenario::yaml::field;

const HOLD: Duration = Duration::from_secs(30);
const BOOT: Duration = Duration::from_mins(2);

impl Checker {
    pub(super) fn check_records(
        &mut self,
        spec: &RecordsSpec,
        path: &str,
        place: &Place,
    ) -> Option<RecordsAction> {
        let before = self.faults.len();
        let zone = self.domain(&spec.zone, &field(path, "zone"), place);
        let control =
            spec.control.as_ref().and_then(|control| self.domain(control, &field(path, "control"), place));
        let says_something = !spec.present.is_empty() || !spec.absent.is_empty() || !spec.never.is_empty();
        if !says_something && !spec.only && !spec.serial_advanced {
            let help = "add present, absent, never, only or serialAdvanced";
            self.fault(path, "checks nothing", help);
        }
        let mut present = Vec::new();
        for (index, record) in spec.present.iter().enumerate() {
            present.extend(self.check_record(record, &format!("{path}.present[{index}]"), place));
        }
        let absent = self.check_names(&spec.absent, &field(path, "absent"), place);
        let never = self.check_names(&spec.never, &field(path, "never"), place);
        if spec.hold.is_some() && spec.never.is_empty() {
            self.fault(&field(path, "hold"), "is of no use without 'never'", "add never, or remove hold");
        }
        if spec.whole_over_udp && spec.present.is_empty() {
            let path = field(path, "wholeOverUdp");
            self.fault(&path, "is of no use without 'present'", "add present, or remove wholeOverUdp");
        }
        let hold = self.duration(spec.hold.as_deref(), &field(path, "hold")).unwrap_or(HOLD);
        let zone = zone?;
        (self.faults.len() == before).then_some(RecordsAction {
            zone,
            present,
            absent,
            never,
            hold,
            only: spec.only,
            serial_advanced: spec.serial_advanced,
            whole_over_udp: spec.whole_over_udp,
            control,
        })
    }

    fn check_names(&mut self, names: &[NameSpec], path: &str, place: &Place) -> Vec<RecordName> {
        let mut checked = Vec::new();
        for (index, spec) in names.iter().enumerate() {
            let path = format!("{path}[{index}]");
            let when = self.check_when(spec.when.as_deref(), &path, place);
            let place = place.behind(when.as_ref());
            let name = self.domain(&spec.name, &field(&path, "name"), &place);
            checked.extend(name.map(|name| RecordName { name, record_type: spec.record_type, when }));
        }
        checked
    }

    fn check_record(&mut self, spec: &RecordSpec, path: &str, place: &Place) -> Option<Record> {
        let when = self.check_when(spec.when.as_deref(), path, place);
        let place = place.behind(when.as_ref());
        let name = self.domain(&spec.name, &field(path, "name"), &place);
        let data = self.check_data(spec, &field(path, "data"), &place);
        let ttl = match &spec.ttl {
            Some(ttl) => Some(self.check_ttl(ttl, &field(path, "ttl"), &place)?),
            None => None,
        };
        Some(Record { name: name?, record_type: spec.record_type, data: data?, ttl, when })
    }

    fn check_when(&mut self, when: Option<&str>, path: &str, place: &Place) -> Option<Condition> {
        let asking = Place { asking: true, ..place.clone() };
        self.condition(when?, &field(path, "when"), &asking)
    }

    fn check_data(&mut self, spec: &RecordSpec, path: &str, place: &Place) -> Option<Template> {
        let help = "write it in quotes, in presentation format; or one '${…}' that gives the list";
        let items = match &spec.data {
            Value::String(_) => std::slice::from_ref(&spec.data),
            Value::Array(items) => items.as_slice(),
            _ => {
                self.fault(path, "is neither a list of texts nor a text", help);
                return None;
            }
        };
        if items.is_empty() {
            self.fault(path, "is empty", "give the data, or name the record set under 'absent'");
        }
        for item in items {
            let Value::String(text) = item else {
                self.fault(path, format!("'{item}' is no text"), help);
                continue;
            };
            let is_name = matches!(spec.record_type, RecordType::Cname | RecordType::Ns | RecordType::Ptr);
            let end = Template::parse_text(text)
                .ok()
                .and_then(|template| template.literal_end().map(str::to_owned));
            if is_name && end.is_some_and(|end| !end.ends_with('.')) {
                self.fault(
                    path,
                    format!("'{text}' does not end with a dot"),
                    "write the name fully qualified",
                );
            }
        }
        self.template(&spec.data, path, place)
    }

    fn check_ttl(&mut self, ttl: &Value, path: &str, place: &Place) -> Option<Template> {
        let template = self.template(ttl, path, place)?;
        let seconds = template.literal().map(|literal| match literal {
            Value::String(text) => text.parse::<i64>().ok(),
            other => other.as_i64(),
        });
        if let Some(seconds) = seconds
            && !seconds.is_some_and(|seconds| (0..=i64::from(i32::MAX)).contains(&seconds))
        {
            self.fault(path, format!("{ttl} is no TTL"), "use whole seconds, or one '${…}' that gives them");
            return None;
        }
        Some(template)
    }

    /// A domain name; as far as it is written out it ends with a dot.
    fn domain(&mut self, name: &str, path: &str, place: &Place) -> Option<Template> {
        let template = self.text(name, path, place)?;
        if template.literal_end().is_some_and(|end| !end.ends_with('.')) {
            self.fault(path, format!("'{name}' does not end with a dot"), "write the name fully qualified");
            return None;
        }
        Some(template)
    }

    pub(super) fn check_guest(&mut self, spec: &GuestSpec, path: &str, place: &Place) -> Option<GuestAction> {
        let before = self.faults.len();
        if spec.result.trim() == spec.booted.trim() {
            self.fault(&field(path, "result"), "is the same marker as 'booted'", "print two different ones");
        }
        let server = self.text(&spec.server, &field(path, "server"), place);
        let booted = self.text(&spec.booted, &field(path, "booted"), place);
        let result = self.text(&spec.result, &field(path, "result"), place);
        let equals = self.text(&spec.equals, &field(path, "equals"), place);
        let boot_within = self.duration(spec.boot_within.as_deref(), &field(path, "bootWithin"));
        let action = GuestAction {
            server: server?,
            booted: booted?,
            result: result?,
            equals: equals?,
            boot_within: boot_within.unwrap_or(BOOT),
        };
        (self.faults.len() == before).then_some(action)
    }
}
