//! How often the server is asked and waited for.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use langgraph_rust_postgres::Postgres;
use langgraph_rust_runtime::saver::{ListQuery, Saver};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpListener, TcpStream};

use crate::dropped::{id, place, step};
use crate::server::saver;

/// Passes on what goes to the server, and counts what ends a round trip (`Sync`, `Query`).
async fn counting(server: String) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a port");
    let port = listener.local_addr().expect("it has an address").port();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(&server).await.expect("the server listens");
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = server.into_split();
            tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
            let counted = counted.clone();
            tokio::spawn(async move {
                // What comes first has no letter.
                let mut head = 4;
                while let Ok(message) = message(&mut from_client, head).await {
                    if head == 5 && matches!(message[0], b'S' | b'Q') {
                        counted.fetch_add(1, Ordering::SeqCst);
                    }
                    head = 5;
                    to_server.write_all(&message).await.expect("the server listens");
                }
            });
        }
    });
    (port, count)
}

/// One message of the protocol, whose first `head` bytes end with the length of what follows them.
async fn message(client: &mut OwnedReadHalf, head: usize) -> std::io::Result<Vec<u8>> {
    let mut message = vec![0; head];
    client.read_exact(&mut message).await?;
    let length = message[head - 4..].try_into().expect("it has four");
    let end = head - 4 + u32::from_be_bytes(length) as usize;
    message.resize(end, 0);
    client.read_exact(&mut message[head..]).await?;
    Ok(message)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_superstep_is_stored_in_one_round_trip() {
    let Some((_, url)) = saver().await else { return };
    let (before, database) = url.rsplit_once('/').expect("it has a database");
    let (user, address) = before.rsplit_once('@').expect("it has an address");
    let (port, count) = counting(address.to_owned()).await;
    let url = format!("{user}@127.0.0.1:{port}/{database}");
    let saver = Postgres::connect(&url).await.expect("it connects");
    let place = place("counted");
    let channels = ["list".into()];
    for number in 1..=4_u128 {
        let mut trips = Vec::new();
        let mut since = count.load(Ordering::SeqCst);
        let mut trip = || {
            let now = count.load(Ordering::SeqCst);
            trips.push(now - std::mem::replace(&mut since, now));
        };
        saver.put(&place, step(number)).await.expect("it stores");
        trip();
        let writes = step(number + 1).writes.remove(0);
        saver.put_writes(&place, writes).await.expect("it stores");
        trip();
        saver.get(&place, Some(&id(number))).await.expect("it reads");
        trip();
        saver.list(&ListQuery::place(&place)).await.expect("it lists");
        trip();
        saver.delta_history(&place, &id(number), &channels).await.expect("it reads");
        trip();
        saver.copy_thread("counted", "copy").await.expect("it copies");
        trip();
        saver.delete_thread("copy").await.expect("it deletes");
        trip();
        // At first, statements are prepared.
        if number > 1 {
            assert_eq!(trips, [1; 7]);
        }
    }
}
