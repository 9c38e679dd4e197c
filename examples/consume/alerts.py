"""Reads a topic that oddlink writes, alerts or scored logins, and prints a line of JSON for each record.

    python alerts.py BROKERS TOPIC [REGISTRY] [--count N]

With the address of a schema registry the records are taken for Avro. Without --count it goes on until it is stopped.
"""

import argparse
import json
import sys

from confluent_kafka import Consumer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

arguments = argparse.ArgumentParser()
arguments.add_argument("brokers")
arguments.add_argument("topic")
arguments.add_argument("registry", nargs="?")
arguments.add_argument("--count", type=int)
options = arguments.parse_args()

consumer = Consumer(
    {
        "bootstrap.servers": options.brokers,
        "group.id": "alerts-in-python",
        "auto.offset.reset": "earliest",
        # What oddlink has not committed may never have happened.
        "isolation.level": "read_committed",
    }
)
consumer.subscribe([options.topic])

if options.registry is None:
    read = lambda message: json.loads(message.value())
else:
    deserialize = AvroDeserializer(SchemaRegistryClient({"url": options.registry}))
    read = lambda message: deserialize(
        message.value(), SerializationContext(message.topic(), MessageField.VALUE)
    )

seen = 0
try:
    while options.count is None or seen < options.count:
        message = consumer.poll(1.0)
        if message is None:
            continue
        if message.error():
            sys.exit(str(message.error()))
        headers = {name: value.decode() for name, value in message.headers() or []}
        key = message.key().decode()
        # Avro's times are times in Python.
        print(json.dumps({"key": key, "headers": headers, "value": read(message)}, default=str), flush=True)
        seen += 1
finally:
    consumer.close()
