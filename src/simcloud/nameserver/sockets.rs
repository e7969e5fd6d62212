//! The sockets of one name server: UDP and TCP on the same port.

use std::{io, net::SocketAddr, sync::Arc};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UdpSocket},
    task::JoinSet,
};

use super::{Transport, answer};
use crate::simcloud::{faults::NameServerMode, http::Shared};

/// How often a pair of free ports is looked for.
const TRIES: usize = 32;

/// Binds one server; with port 0 the same port is found for both transports.
pub(in crate::simcloud) async fn bind(address: SocketAddr) -> io::Result<(UdpSocket, TcpListener)> {
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..TRIES {
        let tcp = TcpListener::bind(address).await?;
        match UdpSocket::bind(tcp.local_addr()?).await {
            Ok(udp) => return Ok((udp, tcp)),
            Err(error) if address.port() != 0 => return Err(error),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Serves until the cloud stops.
pub(in crate::simcloud) async fn serve(shared: Arc<Shared>, server: usize, udp: UdpSocket, tcp: TcpListener) {
    let stop = shared.stop.clone();
    let mut connections = JoinSet::new();
    let mut buffer = vec![0; 4096];
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            received = udp.recv_from(&mut buffer) => {
                let Ok((length, from)) = received else { continue };
                let reply = ask(&shared, server, Transport::Udp, &buffer[..length]);
                if let Some(reply) = reply {
                    // A client that went away is not this server's concern.
                    let _ = udp.send_to(&reply, from).await;
                }
            }
            accepted = tcp.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(converse(Arc::clone(&shared), server, stream));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
    // Dropping the set ends the connections.
}

fn ask(shared: &Shared, server: usize, transport: Transport, question: &[u8]) -> Option<Vec<u8>> {
    let mode = shared.faults.name_server(server);
    let mut world = shared.world();
    world.requests.asked(server);
    answer(&world.wire, server, mode, transport, question)
}

async fn converse(shared: Arc<Shared>, server: usize, mut stream: TcpStream) -> io::Result<()> {
    loop {
        if shared.faults.name_server(server) == Some(NameServerMode::Stopped) {
            stream.set_zero_linger()?;
            return Ok(());
        }
        let length = usize::from(stream.read_u16().await?);
        let mut question = vec![0; length];
        stream.read_exact(&mut question).await?;
        let Some(reply) = ask(&shared, server, Transport::Tcp, &question) else {
            continue;
        };
        let Ok(length) = u16::try_from(reply.len()) else {
            return Ok(());
        };
        let mut framed = length.to_be_bytes().to_vec();
        framed.extend_from_slice(&reply);
        stream.write_all(&framed).await?;
    }
}
