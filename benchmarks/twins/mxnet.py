"""MXNet by hand: hybridized Gluon layers, the fused loss and gluon.Trainer."""

from d2l_backends.mxnet._compat import import_mxnet

mx = import_mxnet()


def _network(name):
    nn = mx.gluon.nn
    net = nn.HybridSequential()
    if name == "lenet":
        net.add(nn.Conv2D(6, 5, padding=2, activation="sigmoid", in_channels=1), nn.AvgPool2D(2))
        net.add(nn.Conv2D(16, 5, activation="sigmoid", in_channels=6), nn.AvgPool2D(2), nn.Flatten())
        net.add(nn.Dense(120, activation="sigmoid", in_units=400), nn.Dense(84, activation="sigmoid", in_units=120))
        net.add(nn.Dense(10, in_units=84))
    else:
        net.add(nn.Flatten(), nn.Dense(256, activation="relu", in_units=784), nn.Dense(10, in_units=256))
    return net


def prepare(name, weights, batches, lr):
    net = _network(name)
    net.initialize()
    net.hybridize(static_alloc=True, static_shape=True)
    data = [(mx.nd.array(X), mx.nd.array(y)) for X, y in batches]
    net(data[0][0])
    for parameter, array in zip(net.collect_params().values(), weights.values(), strict=True):
        parameter.set_data(mx.nd.array(array))
    loss_of = mx.gluon.loss.SoftmaxCrossEntropyLoss()
    loss_of.hybridize(static_alloc=True, static_shape=True)
    trainer = mx.gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": lr}, kvstore=None)

    def step(X, y):
        with mx.autograd.record():
            losses = loss_of(net(X), y)
        losses.backward()
        trainer.step(X.shape[0])
        return losses.mean()

    def run(steps):
        losses = [step(*data[i % len(data)]) for i in range(steps)]
        return [float(loss.asscalar()) for loss in losses]

    return run
