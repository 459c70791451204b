(** * Theorem 1, whole: rounds of full refills

    All output lengths are equal, so all requests of a round depart together and every round starts
    with a full refill.  Sizes are independent draws from a law with finitely many values in
    [a, b], and enough of them wait at the start for all rounds.  First come, first served then has
    independent loads in every round; an optimal admission leaves at most [(G - 1) (b - a)],
    whatever it left for later rounds.  So the ratio of the expected imbalances is at least
    [k sigma sqrt (n / (6 + (kappa - 3) / n)) / (b - a)] times [G / (G - 1)], with
    [k = floor (log2 G)] and [n = floor (B / k)], for every [G >= 2] and [B >= k].

    Claims: [warmup.fcfs-lower], [warmup.theorem-1]. *)

From Coq Require Import Reals Lra ZArith List Lia Permutation.
From evenkeel Require Import Energy Extremes LogGrowth.
From evenkeel Require Import Loads Step Refill Rounds.
Import ListNotations.
Open Scope R_scope.

(** ** Pools of independent sizes *)

(** A law of whole sizes: values with their probabilities. *)
Definition sizes : Type := list (R * Z).

Definition sizes_between (a b : Z) (X : sizes) : Prop :=
  Forall (fun x => 0 <= fst x /\ (a <= snd x <= b)%Z) X /\ Energy.sum (map fst X) = 1.

Definition reals (X : sizes) : law := map (fun x => (fst x, IZR (snd x))) X.

(** Expectation of [f] of a size, and of [f] of a pool of [n] independent sizes. *)
Definition E_size (f : Z -> R) (X : sizes) : R :=
  Energy.sum (map (fun x => fst x * f (snd x)) X).

Fixpoint E_pool (n : nat) (X : sizes) (f : list Z -> R) : R :=
  match n with
  | O => f []
  | S m => E_size (fun x => E_pool m X (fun xs => f (x :: xs))) X
  end.

Lemma E_size_reals : forall f X, E_size (fun x => f (IZR x)) X = E f (reals X).
Proof. intros. unfold E_size, E, over, reals. rewrite map_map. reflexivity. Qed.

Lemma E_size_ext : forall f g X, (forall x, f x = g x) -> E_size f X = E_size g X.
Proof. intros f g X H. unfold E_size. f_equal. apply map_ext. intros. now rewrite H. Qed.

Lemma E_size_le : forall a b f g X, sizes_between a b X ->
  (forall x, (a <= x <= b)%Z -> f x <= g x) -> E_size f X <= E_size g X.
Proof.
  intros a b f g X [F _] H. unfold E_size. induction F as [|[p x] X [P Q] F IH]; simpl; [lra|].
  simpl in P, Q. pose proof (Rmult_le_compat_l p _ _ P (H x Q)). lra.
Qed.

Lemma E_size_linear : forall c f g X,
  E_size (fun x => c * f x + g x) X = c * E_size f X + E_size g X.
Proof. unfold E_size. induction X; simpl; [ring|]. rewrite IHX. ring. Qed.

Lemma E_size_constant : forall a b c X, sizes_between a b X -> E_size (fun _ => c) X = c.
Proof.
  intros a b c X [_ S]. transitivity (c * Energy.sum (map fst X)); [|rewrite S; ring].
  clear S. unfold E_size. induction X; simpl; [ring|]. rewrite IHX. ring.
Qed.

Lemma reals_is_law : forall a b X, (0 <= a)%Z -> sizes_between a b X -> is_law (reals X).
Proof.
  intros a b X H [F S]. split.
  - unfold reals. apply Forall_map. eapply Forall_impl; [|exact F]. intros [p x] [P Q].
    simpl in *. split; [exact P|]. apply (IZR_le 0). lia.
  - unfold reals. rewrite map_map. exact S.
Qed.

Definition drawn (n : nat) (a b : Z) (xs : list Z) : Prop :=
  length xs = n /\ Forall (fun x => (a <= x <= b)%Z) xs.

Lemma E_pool_le : forall a b X f g n, sizes_between a b X ->
  (forall xs, drawn n a b xs -> f xs <= g xs) -> E_pool n X f <= E_pool n X g.
Proof.
  intros a b X f g n S. revert f g. induction n; intros f g H; simpl.
  - apply H. split; [reflexivity|constructor].
  - apply (E_size_le a b); [exact S|]. intros x Q. apply IHn. intros xs [L F].
    apply H. split; [simpl; now rewrite L|now constructor].
Qed.

Lemma E_pool_ext : forall a b X f g n, sizes_between a b X ->
  (forall xs, drawn n a b xs -> f xs = g xs) -> E_pool n X f = E_pool n X g.
Proof.
  intros a b X f g n S H. apply Rle_antisym; apply (E_pool_le a b); auto; intros xs D; right;
    [|symmetry]; now apply H.
Qed.

Lemma E_pool_linear : forall c f g X n,
  E_pool n X (fun xs => c * f xs + g xs) = c * E_pool n X f + E_pool n X g.
Proof.
  intros c f g X n. revert f g. induction n; intros f g; simpl; [reflexivity|].
  rewrite <- E_size_linear. apply E_size_ext. intros x. apply IHn.
Qed.

Lemma E_pool_constant : forall a b c X n, sizes_between a b X -> E_pool n X (fun _ => c) = c.
Proof.
  intros a b c X n S. induction n; simpl; [reflexivity|].
  rewrite (E_size_ext _ (fun _ => c)) by (intros; exact IHn). now apply (E_size_constant a b).
Qed.

Lemma E_pool_app : forall X m n f,
  E_pool (m + n) X f = E_pool m X (fun xs => E_pool n X (fun ys => f (xs ++ ys))).
Proof.
  intros X m n. induction m; intros f; simpl; [reflexivity|]. apply E_size_ext.
  intros x. apply IHm.
Qed.

(** Sizes that are passed over do not count. *)
Lemma E_pool_skip : forall a b X m n f, sizes_between a b X ->
  E_pool (m + n) X (fun pool => f (skipn m pool)) = E_pool n X f.
Proof.
  intros a b X m n f S. rewrite E_pool_app.
  rewrite (E_pool_ext a b X _ (fun _ => E_pool n X f) m S); [now apply (E_pool_constant a b)|].
  intros xs [L _]. apply (E_pool_ext a b); [exact S|]. intros ys _.
  now rewrite skipn_app, L, Nat.sub_diag, skipn_all2 by lia.
Qed.

(** ** First come, first served has independent loads *)

Lemma E_pool_sum : forall X B f,
  E_pool B X (fun xs => f (IZR (Loads.sum xs))) = E f (load_law B (reals X)).
Proof.
  intros X. induction B as [|B IH]; intros f.
  - unfold E, over. simpl. ring.
  - change (load_law (S B) (reals X)) with (Extremes.plus (reals X) (load_law B (reals X))).
    rewrite E_plus, <- E_size_reals. simpl. apply E_size_ext. intros x.
    rewrite <- (IH (fun y => f (IZR x + y))).
    assert (Q : forall n g h, (forall xs, g xs = h xs) -> E_pool n X g = E_pool n X h).
    { clear. induction n; intros g h H; simpl; [apply H|]. apply E_size_ext. intros y. auto. }
    apply Q. intros xs. now rewrite <- plus_IZR.
Qed.

Lemma fcfs_loads : forall a b X B m, sizes_between a b X -> forall G f,
  E_pool (G * B + m) X (fun pool =>
    f (map (fun group => IZR (Loads.sum group)) (deal (repeat B G) pool)))
  = E_workers G (load_law B (reals X)) f.
Proof.
  intros a b X B m S. induction G as [|G IH]; intros f.
  - simpl. now apply (E_pool_constant a b).
  - replace (Datatypes.S G * B + m)%nat with (B + (G * B + m))%nat by lia. rewrite E_pool_app.
    simpl E_workers. rewrite <- E_pool_sum. apply (E_pool_ext a b); [exact S|]. intros xs [L _].
    rewrite <- IH. apply (E_pool_ext a b); [exact S|]. intros ys _. simpl.
    rewrite firstn_app, skipn_app, L, Nat.sub_diag, firstn_all2, skipn_all2 by lia.
    simpl. now rewrite app_nil_r.
Qed.

Lemma largest_is_best : forall xs, IZR (largest xs) = best (map IZR xs).
Proof.
  assert (M : forall x y, IZR (Z.max x y) = Rmax (IZR x) (IZR y)).
  { intros x y. destruct (Z.max_spec x y) as [[H ->]|[H ->]].
    - rewrite Rmax_right; [reflexivity|]. apply IZR_le. lia.
    - rewrite Rmax_left; [reflexivity|]. now apply IZR_le. }
  intros [|x xs]; [reflexivity|]. simpl. induction xs; simpl; [reflexivity|]. now rewrite M, IHxs.
Qed.

Lemma sum_of_reals : forall xs, IZR (Loads.sum xs) = Energy.sum (map IZR xs).
Proof. induction xs; simpl; [reflexivity|]. now rewrite plus_IZR, IHxs. Qed.

Lemma imbalance_of_reals : forall xs, Forall (fun x => (0 <= x)%Z) xs ->
  IZR (Loads.imbalance xs) = Extremes.imbalance (map IZR xs).
Proof.
  intros xs F. unfold Loads.imbalance, Extremes.imbalance.
  rewrite minus_IZR, mult_IZR, <- INR_IZR_INZ, largest_is_best, sum_of_reals, map_length.
  rewrite best_is_top; [reflexivity|]. apply Forall_map. eapply Forall_impl; [|exact F].
  intros x. apply (IZR_le 0).
Qed.

Lemma fcfs_round : forall a b G B m X, (0 <= a)%Z -> sizes_between a b X ->
  E_pool (G * B + m) X (fun pool =>
    let s := full_refill G B pool in IZR (cost s (fcfs s)))
  = E_workers G (load_law B (reals X)) Extremes.imbalance.
Proof.
  intros a b G B m X a0 S. rewrite <- (fcfs_loads a b X B m S).
  apply (E_pool_ext a b); [exact S|]. intros pool [_ F]. cbv zeta.
  unfold cost. rewrite after_refill by apply fcfs_admits.
  change (fcfs (full_refill G B pool)) with (deal (repeat B G) pool).
  rewrite imbalance_of_reals, map_map; [reflexivity|]. apply Forall_map, Forall_forall.
  intros group I.
  assert (Q : forall slots queue, Forall (fun x => (a <= x <= b)%Z) queue ->
    forall g, In g (deal slots queue) -> Forall (fun x => (a <= x <= b)%Z) g).
  { clear. induction slots as [|c cs IH]; intros queue F g I; [destruct I|].
    rewrite <- (firstn_skipn c queue) in F. apply Forall_app in F. destruct F as [F1 F2].
    destruct I as [<-|I]; [exact F1|]. exact (IH _ F2 g I). }
  specialize (Q _ _ F group I). pose proof (sum_between _ _ _ Q). nia.
Qed.

(** ** Averages over rounds *)

(** Mean of the imbalances of the rounds; rounds have equal numbers of steps. *)
Definition average (rounds : list Z) : R := IZR (Loads.sum rounds) / INR (length rounds).

Lemma fcfs_average : forall a b G B R m X, (0 <= a)%Z -> sizes_between a b X -> (1 <= R)%nat ->
  E_pool (R * (G * B) + m) X (fun pool => average (fcfs_rounds G B R pool))
  = E_workers G (load_law B (reals X)) Extremes.imbalance.
Proof.
  intros a b G B R m X a0 S R1. set (e := E_workers _ _ _).
  assert (T : E_pool (R * (G * B) + m) X (fun pool => IZR (Loads.sum (fcfs_rounds G B R pool)))
    = INR R * e).
  { clear R1. induction R as [|R IH].
    - simpl INR. rewrite Rmult_0_l. exact (E_pool_constant a b 0 X _ S).
    - rewrite S_INR. replace (Datatypes.S R * (G * B) + m)%nat
        with (G * B + (R * (G * B) + m))%nat by lia.
      rewrite (E_pool_ext a b X _ (fun pool =>
        1 * (let s := full_refill G B pool in IZR (cost s (fcfs s)))
        + IZR (Loads.sum (fcfs_rounds G B R (skipn (G * B) pool)))) _ S).
      + rewrite E_pool_linear, (fcfs_round a b G B _ X a0 S).
        rewrite (E_pool_skip a b X (G * B) (R * (G * B) + m)
          (fun pool => IZR (Loads.sum (fcfs_rounds G B R pool))) S), IH. fold e. ring.
      + intros pool _. cbv zeta. simpl fcfs_rounds. simpl Loads.sum. rewrite plus_IZR. ring. }
  assert (R0 : 0 < INR R) by (apply lt_0_INR; lia).
  rewrite (E_pool_ext a b X _ (fun pool =>
    / INR R * IZR (Loads.sum (fcfs_rounds G B R pool)) + 0) _ S).
  - rewrite (E_pool_linear (/ INR R) _ (fun _ => 0)), T, (E_pool_constant a b) by exact S.
    field. lra.
  - intros pool _. unfold average. rewrite fcfs_rounds_length. field. lra.
Qed.

(** [warmup.fcfs-lower]: in rounds of full refills with independent sizes, the expected average
    imbalance of first come, first served is that of independent loads, at least
    [G k sigma sqrt (n / (6 + (kappa - 3) / n))] and so at least [c G sigma sqrt (B ln G)]. *)
Theorem warmup_fcfs_lower : forall G B R n a b X,
  (2 <= G)%nat -> (Nat.log2 G <= B)%nat -> (1 <= R)%nat -> (R * (G * B) <= n)%nat ->
  (0 <= a)%Z -> sizes_between a b X ->
  let v := moment 2 (reals X) in let m4 := moment 4 (reals X) in 0 < v ->
  let average_of_fcfs := E_pool n X (fun pool => average (fcfs_rounds G B R pool)) in
  average_of_fcfs = E_workers G (load_law B (reals X)) Extremes.imbalance /\
  growth G B v m4 <= average_of_fcfs /\
  order_constant (m4 / v ^ 2) * INR G * sqrt v * sqrt (INR B * ln (INR G)) <= average_of_fcfs.
Proof.
  intros G B R n a b X g k R1 N a0 S v m4 V e.
  assert (E : e = E_workers G (load_law B (reals X)) Extremes.imbalance).
  { unfold e. replace n with (R * (G * B) + (n - R * (G * B)))%nat by lia.
    now apply (fcfs_average a b). }
  assert (L : is_law (reals X)) by now apply (reals_is_law a b).
  destruct (proj1 fcfs_log_growth G B (reals X) g k L V) as (P & Q & _).
  fold v m4 in P, Q. rewrite E. split; [reflexivity|]. split; [exact P|lra].
Qed.

(** Sizes that vary leave room between [a] and [b]. *)
Lemma room : forall a b X, sizes_between a b X -> 0 < moment 2 (reals X) -> (a < b)%Z.
Proof.
  intros a b X S V. destruct (Z_lt_le_dec a b) as [H|H]; [exact H|]. exfalso.
  assert (Q : forall x, (a <= x <= b)%Z -> IZR x = IZR a).
  { intros x Q. f_equal. lia. }
  assert (M : mean (reals X) = IZR a).
  { unfold mean. rewrite <- E_size_reals. rewrite <- (E_size_constant a b (IZR a) X S).
    apply Rle_antisym; apply (E_size_le a b); auto; intros x I; rewrite (Q x I); lra. }
  assert (T : moment 2 (reals X) <= 0).
  { unfold moment. rewrite M, <- (E_size_reals (fun x => (x - IZR a) ^ 2)).
    rewrite <- (E_size_constant a b 0 X S) at 1. apply (E_size_le a b); auto.
    intros x I. rewrite (Q x I). simpl. lra. }
  lra.
Qed.

(** [warmup.theorem-1]: Theorem 1.  Whatever optimal admissions are taken in every round, the expected
    average imbalance of first come, first served is at least [E Imb / ((G - 1) (b - a))] times the
    one that they leave, [E Imb] for independent loads; so at least
    [k sigma sqrt (n / (6 + (kappa - 3) / n)) / (b - a)] times [G / (G - 1)] times it, and
    [c (sigma / b) sqrt (B ln G)] times [G / (G - 1)] times it. *)
Theorem warmup_theorem_1 : forall G B R n a b X (exact : list Z -> list Z),
  (2 <= G)%nat -> (Nat.log2 G <= B)%nat -> (1 <= R)%nat -> (R * (G * B) <= n)%nat ->
  (0 <= a)%Z -> sizes_between a b X ->
  (forall pool, drawn n a b pool ->
     exact_rounds G B pool (exact pool) /\ length (exact pool) = R) ->
  let v := moment 2 (reals X) in let m4 := moment 4 (reals X) in 0 < v ->
  let average_of_fcfs := E_pool n X (fun pool => average (fcfs_rounds G B R pool)) in
  let average_of_exact := E_pool n X (fun pool => average (exact pool)) in
  let bound := (INR G - 1) * IZR (b - a) in
  let k := INR (Nat.log2 G) in let m := INR (B / Nat.log2 G) in let kappa := m4 / v ^ 2 in
  0 < bound /\ 0 <= average_of_exact <= bound /\
  E_workers G (load_law B (reals X)) Extremes.imbalance / bound * average_of_exact
    <= average_of_fcfs /\
  k * sqrt v * sqrt (m / (6 + (kappa - 3) / m)) / IZR (b - a) * (INR G / (INR G - 1))
    * average_of_exact <= average_of_fcfs /\
  order_constant kappa * (sqrt v / IZR b) * sqrt (INR B * ln (INR G)) * (INR G / (INR G - 1))
    * average_of_exact <= average_of_fcfs.
Proof.
  intros G B R n a b X exact g k R1 N a0 S H v m4 V F O bound k' m kappa.
  destruct (warmup_fcfs_lower G B R n a b X g k R1 N a0 S V) as (E & P & Q).
  fold v m4 F in E, P, Q. fold kappa in Q. pose proof (room a b X S V) as ab.
  assert (g2 : 2 <= INR G) by (apply (le_INR 2) in g; exact g).
  assert (d : 0 < IZR (b - a)) by (apply (IZR_lt 0); lia).
  assert (b0 : 0 < IZR b) by (apply (IZR_lt 0); lia).
  assert (db : IZR (b - a) <= IZR b) by (apply IZR_le; lia).
  assert (bound0 : 0 < bound) by (unfold bound; apply Rmult_lt_0_compat; lra).
  assert (R0 : 0 < INR R) by (apply lt_0_INR; lia).
  assert (I : forall pool, drawn n a b pool -> 0 <= average (exact pool) <= bound).
  { intros pool [L T]. destruct (H pool (conj L T)) as [X' LX]. unfold average. rewrite LX.
    destruct (warmup_bfio_upper G B a b ltac:(lia) ltac:(lia)) as [U _].
    specialize (U pool (exact pool) X' ltac:(lia) T).
    pose proof (sum_between _ _ _ U) as W. rewrite LX in W. destruct W as [W1 W2].
    apply IZR_le in W1, W2. rewrite mult_IZR in W1, W2. unfold full_refill_bound in W2.
    rewrite mult_IZR, minus_IZR, <- !INR_IZR_INZ in W2. fold bound in W2. rewrite Rmult_0_r in W1.
    split.
    - unfold Rdiv. apply Rmult_le_pos; [exact W1|]. left. now apply Rinv_0_lt_compat.
    - apply (Rmult_le_reg_r (INR R)); [exact R0|]. unfold Rdiv.
      rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra. lra. }
  assert (O0 : 0 <= O <= bound).
  { unfold O. split.
    - rewrite <- (E_pool_constant a b 0 X n S). apply (E_pool_le a b); [exact S|]. apply I.
    - rewrite <- (E_pool_constant a b bound X n S). apply (E_pool_le a b); [exact S|]. apply I. }
  assert (scale : forall r, 0 <= r -> r <= F -> r / bound * O <= F).
  { intros r r0 rF. apply Rle_trans with (r / bound * bound); [|].
    2: { replace (r / bound * bound) with r by (field; lra). exact rF. }
    apply Rmult_le_compat_l; [|lra]. unfold Rdiv. apply Rmult_le_pos; [exact r0|].
    left. now apply Rinv_0_lt_compat. }
  assert (F0 : 0 <= F).
  { rewrite E, imbalance_is_lead by now apply (reals_is_law a b).
    apply Rmult_le_pos; [lra|].
    rewrite <- (one_worker B (reals X)) by now apply (reals_is_law a b).
    apply more_workers; [lia|]. now apply (reals_is_law a b). }
  assert (c0 : 0 <= order_constant kappa).
  { unfold order_constant. pose proof ln_2_positive. pose proof (Rmax_l 3 kappa).
    left. apply Rdiv_lt_0_compat; [lra|]. apply Rmult_lt_0_compat; [lra|].
    apply sqrt_lt_R0, Rmult_lt_0_compat; lra. }
  pose proof (sqrt_pos v) as s0. pose proof (sqrt_pos (INR B * ln (INR G))) as t0.
  split; [exact bound0|]. split; [exact O0|]. split; [rewrite <- E; apply scale; lra|]. split.
  - replace (k' * sqrt v * sqrt (m / (6 + (kappa - 3) / m)) / IZR (b - a)
      * (INR G / (INR G - 1)) * O) with (growth G B v m4 / bound * O).
    + apply scale; [|exact P]. unfold growth. cbv zeta.
      apply Rmult_le_pos; [|apply sqrt_pos]. apply Rmult_le_pos; [|exact s0].
      apply Rmult_le_pos; apply pos_INR.
    + unfold growth, bound. cbv zeta. fold k' m kappa. field. lra.
  - set (t := sqrt (INR B * ln (INR G))) in *. set (c := order_constant kappa) in *.
    assert (w : 0 <= c * INR G * sqrt v * t).
    { apply Rmult_le_pos; [|exact t0]. apply Rmult_le_pos; [|exact s0].
      apply Rmult_le_pos; lra. }
    apply Rle_trans with (c * INR G * sqrt v * t / bound * O); [|now apply scale].
    apply Rmult_le_compat_r; [lra|]. unfold bound.
    replace (c * (sqrt v / IZR b) * t * (INR G / (INR G - 1)))
      with (c * INR G * sqrt v * t * / (INR G - 1) * / IZR b) by (field; lra).
    replace (c * INR G * sqrt v * t / ((INR G - 1) * IZR (b - a)))
      with (c * INR G * sqrt v * t * / (INR G - 1) * / IZR (b - a)) by (field; lra).
    apply Rmult_le_compat_l; [|now apply Rinv_le_contravar].
    apply Rmult_le_pos; [exact w|]. left. apply Rinv_0_lt_compat. lra.
Qed.
