"""Tests of the working-out of benefits: sentences, exact workings, properties of every plan."""
