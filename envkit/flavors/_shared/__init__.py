"""What several flavors share: saving and loading, pickles, files of Keras and Spark, forms of
requests.
"""
