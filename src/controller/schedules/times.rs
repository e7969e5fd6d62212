//! When a schedule's time comes: cron in a time zone. Pure.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The times of a schedule.
///
/// Where clocks are set forward, a fixed time (minute and hour without `*`) that does not exist comes at the first moment
/// after the gap, and others go on with the new time. Where clocks are set back, a fixed time comes once, the first time,
/// and others come in both hours.
#[derive(Clone, Debug)]
pub struct Times {
    cron: Cron,
    zone: TimeZone,
}

impl Times {
    /// Reads five fields of cron, or a nickname such as `@daily`, and the name of a time zone.
    ///
    /// # Errors
    /// What is wrong, with the field.
    pub fn parse(schedule: &str, zone: Option<&str>) -> Result<Self, String> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(schedule).map_err(|error| format!("spec.schedule: '{schedule}': {error}"))?;
        let name = zone.unwrap_or("UTC");
        let zone = TimeZone::get(name)
            .map_err(|_| format!("spec.timeZone: '{name}' is not in the IANA time zone database"))?;
        let times = Self { cron, zone };
        match times.after(Timestamp::now()) {
            Some(_) => Ok(times),
            None => Err(format!("spec.schedule: '{schedule}' never comes")),
        }
    }

    /// The first time after `moment`; [`None`] when there is none within a lifetime.
    pub fn after(&self, moment: Timestamp) -> Option<Timestamp> {
        let moment = moment.to_zoned(self.zone.clone());
        self.cron.find_next_occurrence(&moment, false).ok().map(|next| next.timestamp())
    }

    /// The last time up to `moment`, that moment included.
    pub fn up_to(&self, moment: Timestamp) -> Option<Timestamp> {
        let moment = moment.to_zoned(self.zone.clone());
        self.cron.find_previous_occurrence(&moment, true).ok().map(|last| last.timestamp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn times(schedule: &str, zone: &str, from: &str, count: usize) -> Vec<String> {
        let times = Times::parse(schedule, Some(zone)).unwrap();
        let zone = TimeZone::get(zone).unwrap();
        let mut moment: Timestamp = from.parse().unwrap();
        let next = || {
            moment = times.after(moment).unwrap();
            assert_eq!(times.up_to(moment), Some(moment), "there and back");
            moment.to_zoned(zone.clone()).strftime("%d %H:%M %:z").to_string()
        };
        std::iter::repeat_with(next).take(count).collect()
    }

    #[rstest]
    #[case::utc("0 3 * * *", "UTC", "2026-03-28T12:00:00Z", &["29 03:00 +00:00", "30 03:00 +00:00"])]
    // The clocks in Berlin go from 02:00 to 03:00 on 29 March 2026.
    #[case::a_fixed_time_in_the_gap("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", &["29 03:00 +02:00", "30 02:30 +02:00"])]
    #[case::after_the_gap("0 4 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", &["29 04:00 +02:00", "30 04:00 +02:00"])]
    #[case::often_across_the_gap("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", &["29 01:30 +01:00", "29 03:00 +02:00", "29 03:30 +02:00"])]
    // And from 03:00 to 02:00 on 25 October 2026.
    #[case::a_fixed_time_that_comes_twice("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", &["25 02:30 +02:00", "26 02:30 +01:00"])]
    #[case::often_where_an_hour_comes_twice("*/30 * * * *", "Europe/Berlin", "2026-10-24T23:59:00Z", &["25 02:00 +02:00", "25 02:30 +02:00", "25 02:00 +01:00", "25 02:30 +01:00", "25 03:00 +01:00"])]
    #[case::nickname("@daily", "Asia/Kolkata", "2026-01-01T00:00:00Z", &["02 00:00 +05:30", "03 00:00 +05:30"])]
    #[case::leap_day("0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", &["29 00:00 +00:00"])]
    fn comes(#[case] schedule: &str, #[case] zone: &str, #[case] from: &str, #[case] wanted: &[&str]) {
        assert_eq!(times(schedule, zone, from, wanted.len()), wanted);
    }

    #[rstest]
    #[case::no_cron("soon", None, "spec.schedule: 'soon'")]
    #[case::seconds("0 0 3 * * *", None, "spec.schedule")]
    #[case::out_of_range("0 25 * * *", None, "spec.schedule")]
    #[case::never("0 0 30 2 *", None, "never comes")]
    #[case::no_zone("0 3 * * *", Some("Europe/Bonn"), "spec.timeZone: 'Europe/Bonn'")]
    #[case::zone_in_the_schedule("TZ=Europe/Berlin 0 3 * * *", None, "spec.schedule")]
    fn what_is_no_schedule_is_told(#[case] schedule: &str, #[case] zone: Option<&str>, #[case] words: &str) {
        let error = Times::parse(schedule, zone).unwrap_err();
        assert!(error.contains(words), "{error}");
    }
}
