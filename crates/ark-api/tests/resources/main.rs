//! The kinds, from outside: resources as Velero makes them are read and written
//! without loss, and a real API server takes them.

#[cfg(test)]
mod api_server;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod round_trip;
