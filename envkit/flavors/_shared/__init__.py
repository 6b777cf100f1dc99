"""What several flavors share: saving and loading, pickles, Keras and Spark files, signatures."""
