use super::*;

const LIMIT: Duration = Duration::from_secs(5);

/// An address that leaves connections unanswered: its queue is full. The sockets keep it so.
async fn silent() -> (SocketAddr, Vec<TcpStream>, tokio::net::TcpListener) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queued = Vec::new();
    while let Ok(stream) = timeout(Duration::from_millis(200), TcpStream::connect(address)).await {
        queued.push(stream.unwrap());
        assert!(queued.len() < 16, "the queue has no end");
    }
    (address, queued, listener)
}

async fn listening() -> (SocketAddr, tokio::net::TcpListener) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    (listener.local_addr().unwrap(), listener)
}

#[tokio::test]
async fn a_silent_address_does_not_hide_the_next() {
    let (silent, _queued, _full) = silent().await;
    let (refusing, listener) = listening().await;
    drop(listener);
    let (good, _listener) = listening().await;
    for addresses in [
        &[good][..],
        &[silent, good],
        &[refusing, silent, good],
        &[silent, refusing, silent, good],
        &[good, silent],
    ] {
        let started = Instant::now();
        let connected = Transport::connect_to(addresses, None, LIMIT).await;
        assert!(connected.is_ok(), "{addresses:?} {connected:?}");
        assert!(started.elapsed() < LIMIT / 2, "{addresses:?}");
    }
}

#[tokio::test]
async fn addresses_of_which_none_answers() {
    let (silent, _queued, _full) = silent().await;
    let (refusing, listener) = listening().await;
    drop(listener);
    let limit = Duration::from_millis(600);
    let connect = async |addresses: &[SocketAddr]| {
        Transport::connect_to(addresses, None, limit)
            .await
            .unwrap_err()
    };
    for addresses in [&[silent][..], &[silent, refusing], &[refusing, silent]] {
        let error = connect(addresses).await;
        assert!(matches!(error, Error::TimedOut), "{addresses:?} {error}");
    }
    for addresses in [&[refusing][..], &[refusing, refusing], &[]] {
        let error = connect(addresses).await;
        assert!(matches!(error, Error::Connect(_)), "{addresses:?} {error}");
    }
}
