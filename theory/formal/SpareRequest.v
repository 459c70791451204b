(** * Full refills with a request to spare

    [G] workers with [B] free slots each, at least [G B + 1] waiting requests, sizes in [a, b]: the
    optimum is at most [(1 - 1/G) (G - 1) (b - a)], and no smaller constant holds, even where every
    free slot can be filled after any one size class is removed.

    Claims: [step.spare-request], [step.pool-condition-refill]. *)

From Coq Require Import ZArith List Lia Permutation Sorted.
From evenkeel Require Import Loads Step Refill LowerBound.
Import ListNotations.
Open Scope Z_scope.

(** [G] times the bound. *)
Definition spare_request_bound (G a b : Z) : Z := (G - 1) * (G - 1) * (b - a).

(** Every free slot can be filled after the removal of any one size class. *)
Definition pool_condition (G B : nat) (pool : list Z) : Prop :=
  forall size, (G * B <= length (remove Z.eq_dec size pool))%nat.

(** ** Dealing a sorted pool *)

(** What the worker gets whose first request is [s at]: every [G]-th. *)
Fixpoint column (G : nat) (s : nat -> Z) (B first : nat) : list Z :=
  match B with O => [] | S B => s first :: column G s B (first + G) end.

Definition dealt (G : nat) (s : nat -> Z) (B from : nat) : list (list Z) :=
  map (column G s B) (seq from G).

Definition load (G : nat) (s : nat -> Z) (B first : nat) : Z := sum (column G s B first).

Lemma column_length : forall G s B i, length (column G s B i) = B.
Proof. induction B; simpl; intros; [reflexivity|]. now rewrite IHB. Qed.

Lemma concfirstcolumns : forall (h : nat -> Z) (t : nat -> list Z) places,
  Permutation (concat (map (fun i => h i :: t i) places))
              (map h places ++ concat (map t places)).
Proof.
  induction places as [|i places IH]; simpl; [auto|]. constructor. rewrite IH.
  rewrite !app_assoc. apply Permutation_app_tail, Permutation_app_comm.
Qed.

Lemma map_seq_shift : forall A (f : nat -> A) n from more,
  map (fun i => f (i + more)%nat) (seq from n) = map f (seq (from + more) n).
Proof. induction n; simpl; intros; [reflexivity|]. now rewrite IHn. Qed.

Lemma dealt_sizes : forall G s B from,
  Permutation (concat (dealt G s B from)) (map s (seq from (B * G))).
Proof.
  unfold dealt. induction B; intros from; simpl.
  - induction (seq from G); simpl; auto.
  - rewrite concfirstcolumns, seq_app, map_app. apply Permutation_app_head.
    rewrite (map_seq_shift _ (column G s B)). apply IHB.
Qed.

Lemma load_rises : forall G s, (forall i, s i <= s (S i)) ->
  forall B i j, (i <= j)%nat -> load G s B i <= load G s B j.
Proof.
  intros G s up. assert (far : forall i j, (i <= j)%nat -> s i <= s j).
  { induction 1; [lia|]. specialize (up m). lia. }
  unfold load. induction B; simpl; intros i j le; [lia|].
  pose proof (far i j le). pose proof (IHB (i + G)%nat (j + G)%nat). lia.
Qed.

(** One request further on for all of [G] workers exchanges the first request for the last. *)
Lemma load_wraps : forall G s B i,
  load G s B (i + G) = load G s B i + s (i + B * G)%nat - s i.
Proof.
  unfold load. induction B; simpl; intros i; [rewrite Nat.add_0_r; lia|].
  rewrite IHB. replace (i + (G + B * G))%nat with (i + G + B * G)%nat by lia. lia.
Qed.

Lemma dealt_imbalance : forall G s B from, (1 <= G)%nat -> (forall i, s i <= s (S i)) ->
  imbalance (map sum (dealt G s B from))
  <= Z.of_nat G * load G s B (from + G - 1) - sum (map (load G s B) (seq from G)).
Proof.
  intros G s B from g up. unfold dealt. rewrite map_map. fold (load G s B).
  change (fun x => sum (column G s B x)) with (load G s B).
  unfold imbalance. rewrite map_length, seq_length.
  assert (M : largest (map (load G s B) (seq from G)) <= load G s B (from + G - 1)).
  { apply largest_least.
    - destruct G; [lia|discriminate].
    - apply Forall_forall. intros v I. apply in_map_iff in I. destruct I as (j & <- & I).
      apply in_seq in I. apply load_rises; [exact up|lia]. }
  nia.
Qed.

(** ** The upper side *)

Lemma sorted_nth : forall b p, StronglySorted Z.le p -> Forall (fun x => x <= b) p ->
  forall i, nth i p b <= nth (S i) p b.
Proof.
  intros b p S F. induction S as [|x xs S IH U]; intros i; [destruct i; simpl; lia|].
  inversion F as [|? ? X Xs]; subst. destruct i as [|i]; [|simpl; now apply IH]. simpl.
  destruct (nth_in_or_default 0 xs b) as [I| ->]; [|exact X].
  rewrite Forall_forall in U. now apply U.
Qed.

Lemma map_nth_all : forall (b : Z) p, map (fun i => nth i p b) (seq 0 (length p)) = p.
Proof.
  induction p as [|x xs IH]; simpl; [reflexivity|]. f_equal.
  rewrite <- seq_shift, map_map. exact IH.
Qed.

(** Dealing from the first or from the second request on is an admission. *)
Lemma dealt_admits : forall G B b pool from, (S (G * B) <= length pool)%nat -> (from <= 1)%nat ->
  admits (full_refill G B pool) (dealt G (fun i => nth i (ascending pool) b) B from).
Proof.
  intros G B b pool from N le. set (p := ascending pool). set (s := fun i => nth i p b).
  assert (P : Permutation pool p) by apply ascending_permutation.
  pose proof (Permutation_length P) as LP.
  assert (L : length (concat (dealt G s B from)) = (G * B)%nat).
  { rewrite (Permutation_length (dealt_sizes G s B from)), map_length, seq_length. lia. }
  split; [|split].
  - simpl. unfold dealt. clear. generalize from. induction G as [|n IH] at 1 3; intros i; simpl.
    + constructor.
    + constructor; [now rewrite column_length|apply IH].
  - rewrite L. unfold admissions. simpl. rewrite list_sum_repeat. lia.
  - exists (map s (seq 0 from) ++ map s (seq (from + B * G) (length p - from - B * G))).
    simpl. rewrite P, dealt_sizes. transitivity (map s (seq 0 (length p))).
    + replace (length p) with (from + (B * G + (length p - from - B * G)))%nat at 2 by lia.
      rewrite !seq_app, !map_app. simpl. rewrite !app_assoc.
      apply Permutation_app_tail, Permutation_app_comm.
    + unfold s. now rewrite map_nth_all.
Qed.

(** The two deals, with the first and the last load of the earlier one and the sum of the others. *)
Lemma weigh_the_deals : forall m c first last rest d width, 0 <= m ->
  c <= (m + 1) * last - (first + rest) -> c <= (m + 1) * (first + d) - (rest + (first + d)) ->
  m * first + last <= first + rest -> d <= width -> (m + 1) * c <= m * m * width.
Proof.
  intros m c first last rest d width M U V R D.
  assert (m * c <= m * (m * (first + d) - rest)) by (apply Z.mul_le_mono_nonneg_l; lia).
  assert ((m + 1) * (m * first + last) <= (m + 1) * (first + rest))
    by (apply Z.mul_le_mono_nonneg_l; lia).
  assert (m * m * d <= m * m * width) by (apply Z.mul_le_mono_nonneg_l; nia). nia.
Qed.

Lemma sum_at_least : forall x xs, Forall (fun y => x <= y) xs -> Z.of_nat (length xs) * x <= sum xs.
Proof. induction 1; simpl sum; simpl length; lia. Qed.

Lemma spare_request_upper : forall G B a b pool v, (1 <= G)%nat ->
  (S (G * B) <= length pool)%nat -> Forall (fun size => a <= size <= b) pool ->
  optimum (full_refill G B pool) v -> Z.of_nat G * v <= spare_request_bound (Z.of_nat G) a b.
Proof.
  intros G B a b pool v g N F (groups & [_ O] & <-). set (s := fun i => nth i (ascending pool) b).
  assert (P : Permutation pool (ascending pool)) by apply ascending_permutation.
  pose proof (Permutation_length P) as LP. apply (Permutation_Forall P) in F.
  assert (up : forall i, s i <= s (S i)).
  { apply sorted_nth; [apply ascending_sorted|]. eapply Forall_impl; [|exact F]. simpl. lia. }
  assert (between : forall i, (i < length pool)%nat -> a <= s i <= b).
  { intros i I. rewrite Forall_forall in F. apply F, nth_In. lia. }
  assert (U : forall from, (from <= 1)%nat -> cost (full_refill G B pool) groups
    <= Z.of_nat G * load G s B (from + G - 1) - sum (map (load G s B) (seq from G))).
  { intros from le. pose proof (dealt_admits G B b pool from N le) as A. eapply Z.le_trans.
    - apply O, A.
    - unfold cost. rewrite after_refill by exact A. now apply dealt_imbalance. }
  pose proof (U 0%nat ltac:(lia)) as U0. pose proof (U 1%nat ltac:(lia)) as U1.
  destruct G as [|m]; [lia|].
  replace (0 + S m - 1)%nat with m in U0 by lia. replace (1 + S m - 1)%nat with (S m) in U1 by lia.
  pose proof (load_wraps (S m) s B 0) as W. simpl in W.
  set (rest := sum (map (load (S m) s B) (seq 1 m))).
  assert (S0 : sum (map (load (S m) s B) (seq 0 (S m))) = load (S m) s B 0 + rest) by reflexivity.
  assert (S1 : sum (map (load (S m) s B) (seq 1 (S m))) = rest + load (S m) s B (S m)).
  { rewrite seq_S, map_app, sum_app. simpl. unfold rest. lia. }
  assert (R : Z.of_nat m * load (S m) s B 0 + load (S m) s B m
              <= load (S m) s B 0 + rest).
  { unfold rest. destruct m as [|k]; [simpl; lia|].
    rewrite seq_S, map_app, sum_app. simpl (sum (map _ [_])).
    replace (1 + k)%nat with (S k) by lia.
    assert (K : Forall (fun x => load (S (S k)) s B 0 <= x) (map (load (S (S k)) s B) (seq 1 k))).
    { apply Forall_forall. intros x I. apply in_map_iff in I. destruct I as (j & <- & _).
      apply load_rises; [exact up|lia]. }
    apply sum_at_least in K. rewrite map_length, seq_length in K. lia. }
  pose proof (between 0%nat ltac:(lia)). pose proof (between (B * S m)%nat ltac:(lia)).
  unfold spare_request_bound. replace (Z.of_nat (S m)) with (Z.of_nat m + 1) in * by lia.
  replace (Z.of_nat m + 1 - 1) with (Z.of_nat m) by lia.
  rewrite S0 in U0. rewrite S1, W in U1.
  eapply weigh_the_deals with (d := s (B * S m)%nat - s 0%nat); [lia|exact U0| |exact R|lia]. lia.
Qed.

(** ** The lower side *)

Lemma sum_concat : forall groups, sum (map sum groups) = sum (concat groups).
Proof. induction groups; simpl; [reflexivity|]. rewrite sum_app. lia. Qed.

Lemma load_of_member : forall a B groups x, Forall (fun group => length group = B) groups ->
  Forall (fun size => a <= size) (concat groups) -> In x (concat groups) ->
  x + (Z.of_nat B - 1) * a <= largest (map sum groups).
Proof.
  intros a B groups x L F I. apply in_concat in I. destruct I as (group & I & J).
  assert (M : sum group <= largest (map sum groups)) by now apply largest_above, in_map.
  assert (E : length group = B) by (rewrite Forall_forall in L; auto).
  assert (K : Forall (fun size => a <= size) group).
  { rewrite Forall_forall in *. intros y Y. apply F, in_concat. eauto. }
  apply in_split in J. destruct J as (l & r & ->). rewrite sum_app in M. simpl in M.
  rewrite app_length in E. simpl in E. apply Forall_app in K. destruct K as [Kl K].
  inversion K as [|? ? _ Kr]; subst. apply sum_at_least in Kl, Kr. nia.
Qed.

(** With one request to spare, some worker takes [b], or else some worker takes [u]. *)
Lemma two_large_requests : forall G B a u b others v, (1 <= G)%nat -> (1 <= B)%nat ->
  length others = (G * B - 1)%nat -> Forall (fun size => a <= size) (b :: u :: others) ->
  optimum (full_refill G B (b :: u :: others)) v ->
  let excess := sum others - Z.of_nat (G * B - 1) * a in
  (Z.of_nat G - 1) * (u - a) - excess <= v \/
  (Z.of_nat G - 1) * (b - a) - (u - a) - excess <= v.
Proof.
  intros G B a u b others v g n N F (groups & [A _] & <-) excess.
  assert (one : (1 <= G * B)%nat) by nia.
  assert (L : length groups = G) by
    (apply groups_length in A; simpl in A; now rewrite repeat_length in A).
  assert (LB : Forall (fun group => length group = B) groups).
  { pose proof (every_slot_filled _ _ A) as E. simpl in E. rewrite list_sum_repeat in E.
    specialize (E ltac:(lia)). clear - E. revert E. generalize groups.
    induction G; intros gs E; inversion E; subst; constructor; auto. }
  assert (S : Forall (fun size => a <= size) (concat groups)) by exact (admitted_sizes _ _ _ A F).
  unfold cost. rewrite after_refill by exact A. unfold imbalance. rewrite map_length, L, sum_concat.
  destruct A as (_ & K & waiting & P).
  assert (K' : length (concat groups) = (G * B)%nat).
  { rewrite K. unfold admissions. simpl length. simpl free. rewrite list_sum_repeat, N. lia. }
  clear K. rename K' into K. simpl in P.
  pose proof (Permutation_length P) as Q. rewrite app_length, K in Q. simpl in Q. rewrite N in Q.
  destruct waiting as [|z [|? ?]]; simpl in Q; try lia.
  pose proof (sum_permutation _ _ P) as T. rewrite sum_app in T. simpl in T.
  assert (E : Z.of_nat (G * B - 1) = Z.of_nat G * Z.of_nat B - 1) by lia.
  assert (I : In b (concat groups ++ [z])).
  { eapply Permutation_in; [apply Permutation_sym; exact P|]. now left. }
  apply in_app_or in I. destruct I as [I|[->|[]]].
  - right. pose proof (load_of_member a B groups b LB S I) as M.
    assert (Z : a <= z).
    { rewrite Forall_forall in F. apply F. eapply Permutation_in; [exact P|].
      apply in_or_app. right. now left. }
    unfold excess. rewrite E. nia.
  - left. assert (U : Permutation (concat groups) (u :: others)).
    { apply Permutation_cons_inv with b. rewrite <- P. apply Permutation_cons_append. }
    assert (J : In u (concat groups)).
    { eapply Permutation_in; [apply Permutation_sym; exact U|]. now left. }
    pose proof (load_of_member a B groups u LB S J) as M. unfold excess. rewrite E. nia.
Qed.

(** ** [step.spare-request] *)

Definition spare_request_extremal (G B : nat) (a m : Z) : list Z :=
  a + Z.of_nat G * m :: a + (Z.of_nat G - 1) * m :: repeat a (G * B - 1).

(** No full refill with a request to spare leaves more, and for every [G] and [B] one leaves so
    much. *)
Theorem step_spare_request : forall G B, (1 <= G)%nat -> (1 <= B)%nat ->
  (forall a b pool v, (S (G * B) <= length pool)%nat ->
     Forall (fun size => a <= size <= b) pool -> optimum (full_refill G B pool) v ->
     Z.of_nat G * v <= spare_request_bound (Z.of_nat G) a b) /\
  (forall a m, 0 <= m -> let pool := spare_request_extremal G B a m in
     let b := a + Z.of_nat G * m in
     length pool = S (G * B) /\ Forall (fun size => a <= size <= b) pool /\
     exists v, optimum (full_refill G B pool) v /\
       Z.of_nat G * v = spare_request_bound (Z.of_nat G) a b).
Proof.
  intros G B g n. split; [intros; now apply (spare_request_upper G B a b pool v)|].
  intros a m M pool b. assert (one : (1 <= G * B)%nat) by nia.
  assert (N : length pool = S (G * B)) by (unfold pool; simpl; rewrite repeat_length; lia).
  assert (F : Forall (fun size => a <= size <= b) pool).
  { unfold pool, spare_request_extremal, b. repeat constructor; try nia.
    apply Forall_forall. intros x I. apply repeat_spec in I. nia. }
  split; [exact N|]. split; [exact F|]. exists (optimal_imbalance (full_refill G B pool)).
  pose proof (optimum_exists (full_refill G B pool)) as O. split; [exact O|].
  apply Z.le_antisymm; [apply (spare_request_upper G B a b pool); auto; lia|].
  destruct (two_large_requests G B a (a + (Z.of_nat G - 1) * m) b (repeat a (G * B - 1))
    _ g n (repeat_length _ _) ltac:(eapply Forall_impl; [|exact F]; simpl; lia) O) as [X|X];
  rewrite sum_repeat in X; unfold spare_request_bound, b in *; nia.
Qed.

(** ** [step.pool-condition-refill] *)

Definition pool_condition_extremal (G B : nat) (a m : Z) : list Z :=
  a + Z.of_nat G * m :: a + (Z.of_nat G - 1) * m
  :: map (fun i => a + Z.of_nat i) (seq 0 (G * B - 1)).

(** The condition leaves a request to spare. *)
Lemma condition_spares : forall G B pool, (1 <= G * B)%nat -> pool_condition G B pool ->
  (S (G * B) <= length pool)%nat.
Proof.
  intros G B [|x xs] one C; [specialize (C 0); simpl in C; lia|].
  pose proof (remove_length_lt Z.eq_dec (x :: xs) x (or_introl eq_refl)). specialize (C x). lia.
Qed.

Lemma distinct_sizes : forall x pool, NoDup pool ->
  (length pool <= S (length (remove Z.eq_dec x pool)))%nat.
Proof.
  induction 1 as [|y ys N D IH]; simpl; [lia|]. destruct (Z.eq_dec x y) as [->|]; [|simpl; lia].
  rewrite notin_remove by exact N. lia.
Qed.

Lemma sum_of_consecutive : forall a n,
  2 * sum (map (fun i => a + Z.of_nat i) (seq 0 n))
  = 2 * Z.of_nat n * a + Z.of_nat n * (Z.of_nat n - 1).
Proof.
  induction n; [reflexivity|]. rewrite seq_S, map_app, sum_app, Z.mul_add_distr_l, IHn.
  cbn [map sum fold_right Nat.add]. rewrite Nat2Z.inj_succ. ring.
Qed.

Lemma extremal_in_condition : forall G B a m, (2 <= G)%nat -> (1 <= B)%nat ->
  Z.of_nat (G * B) - 2 < (Z.of_nat G - 1) * m ->
  pool_condition G B (pool_condition_extremal G B a m) /\
  Forall (fun size => a <= size <= a + Z.of_nat G * m) (pool_condition_extremal G B a m).
Proof.
  intros G B a m g n M. assert (two : (2 <= G * B)%nat) by nia. assert (0 < m) by nia.
  assert (I : forall x, In x (map (fun i => a + Z.of_nat i) (seq 0 (G * B - 1))) ->
    a <= x <= a + (Z.of_nat (G * B) - 2)).
  { intros x J. apply in_map_iff in J. destruct J as (i & <- & J). apply in_seq in J. lia. }
  split.
  - intros x. assert (D : NoDup (pool_condition_extremal G B a m)).
    { constructor; [|constructor].
      - intros [E|J]; [nia|]. apply I in J. nia.
      - intros J. apply I in J. lia.
      - apply FinFun.Injective_map_NoDup; [|apply seq_NoDup]. intros i j E. lia. }
    assert (N : length (pool_condition_extremal G B a m) = S (G * B))
      by (simpl; rewrite map_length, seq_length; lia).
    apply (distinct_sizes x) in D. rewrite N in D. lia.
  - unfold pool_condition_extremal. repeat constructor; try nia. apply Forall_forall.
    intros x J. apply I in J. lia.
Qed.

(** Inside the paper's pool condition no full refill leaves more; a pool of distinct sizes leaves as
    much, up to a term that does not grow with [b - a = G m]; so no smaller constant [p / q] will
    do. *)
Theorem step_pool_condition_refill : forall G B, (2 <= G)%nat -> (1 <= B)%nat ->
  (forall a b pool v, pool_condition G B pool -> Forall (fun size => a <= size <= b) pool ->
     optimum (full_refill G B pool) v ->
     Z.of_nat G * v <= spare_request_bound (Z.of_nat G) a b) /\
  (forall a m v, let pool := pool_condition_extremal G B a m in let n := Z.of_nat (G * B) in
     n - 2 < (Z.of_nat G - 1) * m -> optimum (full_refill G B pool) v ->
     pool_condition G B pool /\ Forall (fun size => a <= size <= a + Z.of_nat G * m) pool /\
     2 * ((Z.of_nat G - 1) * (Z.of_nat G - 1) * m - v) <= (n - 1) * (n - 2)) /\
  (forall a p q, 0 < q -> p * Z.of_nat G < q * ((Z.of_nat G - 1) * (Z.of_nat G - 1)) ->
     exists b pool v, pool_condition G B pool /\ Forall (fun size => a <= size <= b) pool /\
       optimum (full_refill G B pool) v /\ p * (b - a) < q * v).
Proof.
  intros G B g n. assert (two : (2 <= G * B)%nat) by nia.
  assert (lower : forall a m v, Z.of_nat (G * B) - 2 < (Z.of_nat G - 1) * m ->
    optimum (full_refill G B (pool_condition_extremal G B a m)) v ->
    2 * ((Z.of_nat G - 1) * (Z.of_nat G - 1) * m - v)
    <= (Z.of_nat (G * B) - 1) * (Z.of_nat (G * B) - 2)).
  { intros a m v M O. destruct (extremal_in_condition G B a m g n M) as [_ F].
    pose proof (sum_of_consecutive a (G * B - 1)) as T.
    pose proof (two_large_requests G B a (a + (Z.of_nat G - 1) * m) (a + Z.of_nat G * m)
      (map (fun i => a + Z.of_nat i) (seq 0 (G * B - 1))) v ltac:(lia) n
      ltac:(now rewrite map_length, seq_length)
      ltac:(eapply Forall_impl; [|exact F]; simpl; lia) O) as X.
    simpl in X. replace (Z.of_nat (G * B - 1)) with (Z.of_nat (G * B) - 1) in * by lia.
    destruct X; nia. }
  split; [|split].
  - intros a b pool v C F O. apply (spare_request_upper G B a b pool v); try assumption; [lia|].
    apply condition_spares; [lia|exact C].
  - intros a m v pool k M O. destruct (extremal_in_condition G B a m g n M) as [C F].
    split; [exact C|]. split; [exact F|]. exact (lower a m v M O).
  - intros a p q Q small. set (k := Z.of_nat (G * B)).
    set (excess := (k - 1) * (k - 2)). set (m := q * excess + k).
    assert (0 <= excess) by (apply Z.mul_nonneg_nonneg; lia).
    assert (0 <= q * excess) by (apply Z.mul_nonneg_nonneg; lia).
    assert (1 * m <= (Z.of_nat G - 1) * m) by (apply Z.mul_le_mono_nonneg_r; lia).
    assert (M : k - 2 < (Z.of_nat G - 1) * m) by lia.
    destruct (extremal_in_condition G B a m g n M) as [C F].
    exists (a + Z.of_nat G * m), (pool_condition_extremal G B a m),
      (optimal_imbalance (full_refill G B (pool_condition_extremal G B a m))).
    pose proof (optimum_exists (full_refill G B (pool_condition_extremal G B a m))) as O.
    split; [exact C|]. split; [exact F|]. split; [exact O|].
    pose proof (lower a m _ M O) as X. fold k excess in X.
    set (v := optimal_imbalance _) in *. set (square := (Z.of_nat G - 1) * (Z.of_nat G - 1)) in *.
    assert (q * (2 * (square * m - v)) <= q * excess) by (apply Z.mul_le_mono_nonneg_l; lia).
    assert (p * Z.of_nat G * m <= (q * square - 1) * m) by (apply Z.mul_le_mono_nonneg_r; lia).
    lia.
Qed.
