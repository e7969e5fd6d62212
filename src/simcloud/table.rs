//! Rows by id, kept in the order in which they were made: that is the order lists show them in.

use std::collections::{BTreeMap, HashMap};

#[derive(Debug)]
pub(crate) struct Table<T> {
    rows: BTreeMap<u64, (String, T)>,
    places: HashMap<String, u64>,
    next: u64,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
            places: HashMap::new(),
            next: 0,
        }
    }
}

impl<T> Table<T> {
    pub(crate) fn insert(&mut self, id: impl Into<String>, row: T) {
        let id = id.into();
        let place = *self.places.entry(id.clone()).or_insert_with(|| {
            self.next += 1;
            self.next
        });
        self.rows.insert(place, (id, row));
    }

    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        self.places
            .get(id)
            .and_then(|place| self.rows.get(place))
            .map(|(_, row)| row)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        let place = self.places.get(id)?;
        self.rows.get_mut(place).map(|(_, row)| row)
    }

    pub(crate) fn remove(&mut self, id: &str) -> Option<T> {
        let place = self.places.remove(id)?;
        self.rows.remove(&place).map(|(_, row)| row)
    }

    pub(crate) fn values(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.rows.values().map(|(_, row)| row)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.rows.values_mut().map(|(_, row)| row)
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.rows.values().map(|(id, _)| id.clone()).collect()
    }
}
